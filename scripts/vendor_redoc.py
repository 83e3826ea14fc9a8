"""Renew the viewer of interface documents from its npm package: `python -m scripts.vendor_redoc [--check]`.

To move to another version: change VERSION and INTEGRITY (`npm view redoc@VERSION dist.integrity`), run it, put the
digest that it prints into `router/contract/openapi/viewer.py`, and run the tests of the page in a browser.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

VERSION = "3.0.1"
INTEGRITY = "sha512-KDfoKaYW19LCl4YStgBnwlaNjYEFfs5zCNt1s1WZ2YM5u8d26Yuzd2l43fZO851ZsgIMe/D640fDJkD8eaRQKQ=="
FOLDER = Path(__file__).resolve().parent.parent / "router" / "contract" / "openapi" / "page"
SCRIPT, LICENCE = "redoc.js.gz", "LICENSE.redoc"

_BUNDLE, _LICENCE = "package/bundles/redoc.standalone.js", "package/LICENSE"
# The only pictures that the bundle fetches, from a host of its makers: the word stands there instead.
_LOGO = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='40' height='14'%3E"
    "%3Ctext x='0' y='11' font-family='sans-serif' font-size='11' fill='%23808080'%3ERedoc%3C/text%3E%3C/svg%3E"
)
REPLACED = {
    b"`https://cdn.redoc.ly/redoc/logo-mini-full.svg`": f"`{_LOGO}`".encode(),
    b"`https://cdn.redoc.ly/redoc/logo-mini.svg`": f"`{_LOGO}`".encode(),
}


def fetch(folder: Path) -> dict[str, bytes]:
    """Return the files of the package that are used, from the registry of npm.

    folder: where npm may write.

    Raises:
        ValueError: the package is not the one that INTEGRITY names.
    """
    subprocess.run(
        ["npm", "pack", "--silent", f"redoc@{VERSION}"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    [archive] = folder.glob("*.tgz")
    content = archive.read_bytes()
    found = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    if found != INTEGRITY:
        raise ValueError(f"redoc {VERSION} has {found}, not {INTEGRITY}")
    with tarfile.open(fileobj=io.BytesIO(content)) as packed:
        return {name: _member(packed, name) for name in (_BUNDLE, _LICENCE)}


def _member(packed: tarfile.TarFile, name: str) -> bytes:
    file = packed.extractfile(name)
    if file is None:
        raise ValueError(f"the package has no file {name}")
    return file.read()


def changed(bundle: bytes) -> bytes:
    """Return the bundle without what it would fetch from elsewhere.

    Raises:
        ValueError: it does not hold what is replaced, so that somebody has to look at it.
    """
    for old, new in REPLACED.items():
        if bundle.count(old) != 1:
            raise ValueError(f"{old.decode()} is there {bundle.count(old)} times")
        bundle = bundle.replace(old, new)
    return bundle


def main(arguments: list[str]) -> int:
    """Write the files, or compare them."""
    with TemporaryDirectory() as folder:
        fetched = fetch(Path(folder))
    script, licence = changed(fetched[_BUNDLE]), fetched[_LICENCE]
    print(hashlib.sha256(script).hexdigest())
    if arguments == ["--check"]:
        # What gzip makes of it differs between versions of zlib.
        same = gzip.decompress((FOLDER / SCRIPT).read_bytes()) == script and (FOLDER / LICENCE).read_bytes() == licence
        return 0 if same else 1
    (FOLDER / SCRIPT).write_bytes(gzip.compress(script, 9, mtime=0))
    (FOLDER / LICENCE).write_bytes(licence)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
