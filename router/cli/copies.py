"""A copy of the library in a package of the application: how it is made, recognised, compared and replaced."""

from __future__ import annotations

import json
import os
import re
import sys
from hashlib import sha256
from keyword import iskeyword
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import router
from router.cli import library
from router.cli.rewriting import rewrite
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Says that a folder is a copy: of which version, in which package, and the hash of each file.
MARKER = "junction.json"

_DOCSTRING = '"""A copy of {distribution} {version}. `junction vendor` made it and updates it: do not edit it."""\n'


class Copy(NamedTuple):
    """The content of a copy's marker. files: the SHA-256 of each file, by its path below the folder."""

    version: str
    package: str
    files: Mapping[str, str]


def package_of(folder: Path) -> str:
    """Return the package that a folder is: its name below those of the packages that it lies in."""
    names = [folder.name]
    for parent in folder.parents:
        if not (parent / "__init__.py").is_file():
            break
        names.insert(0, parent.name)
    return ".".join(names)


def check_package(package: str, folder: Path) -> None:
    """Raise ConfigurationError where a folder cannot be a package of this name."""
    parts = package.split(".")
    if not all(part.isidentifier() and not iskeyword(part) for part in parts):
        raise ConfigurationError(f"{package!r} is not the name of a package: give one as --package shop._junction")
    if parts[0] in sys.stdlib_module_names:
        raise ConfigurationError(f"--package {package}: the standard library has a module {parts[0]}")
    if parts[-1] != folder.name:
        raise ConfigurationError(f"--package {package}: the folder must have the name {parts[-1]}, not {folder.name}")


def read_copy(folder: Path) -> Copy | None:
    """Return what the copy in a folder is, or None where there is nothing yet.

    Raises:
        ConfigurationError: something else is there, which must not be overwritten.
    """
    if folder.is_dir():
        if not any(folder.iterdir()):
            return None
        if (folder / MARKER).is_file() and not (folder / MARKER).is_symlink():
            return _read_marker(folder / MARKER)
    elif not folder.exists():
        return None
    raise ConfigurationError(f"{folder} is not a copy of the library and is left alone: name another folder")


def _read_marker(path: Path) -> Copy:
    try:
        told = json.loads(path.read_bytes())
        return Copy(str(told["version"]), str(told["package"]), dict(told["files"]))
    except (ValueError, KeyError, TypeError, RecursionError):  # the last of what is nested too deeply
        raise ConfigurationError(f"{path} cannot be read: remove the folder and make the copy anew") from None


def make_copy(package: str) -> dict[str, bytes]:
    """Return the content of each file of a copy, the marker among them, by its path below the folder.

    package: the package that the folder will be.
    """
    roots = {name: f"{package}.{name}" for name in library.PACKAGES}
    requirements = library.requirements()
    head = _DOCSTRING.format(distribution=library.DISTRIBUTION, version=router.__version__)
    files = {"__init__.py": head.encode(), "py.typed": b"", "LICENSE": library.license_text().encode()}
    for name, path in library.sources():
        content = path.read_bytes()
        if path.suffix == ".py":
            text = rewrite(content.decode(), roots)
            content = _without_extras(text, requirements).encode()
        files[name] = content
    marker = {
        "library": library.DISTRIBUTION,
        "version": router.__version__,
        "package": package,
        "requires": requirements,
        "files": {name: _hash(files[name]) for name in sorted(files)},
    }
    return {**files, MARKER: (json.dumps(marker, indent=2) + "\n").encode()}


def _without_extras(text: str, requirements: Mapping[str, list[str]]) -> str:
    """Let messages ask for what an extra needs: to install the library would bring back the names that clash."""

    def named(match: re.Match[str]) -> str:
        extras = [extra.strip() for extra in match[1].split(",")]
        needed = sorted({one for extra in extras for one in requirements.get(extra, ())})
        return " ".join(f'"{one}"' for one in needed) or match[0]

    return re.sub(rf'"{library.DISTRIBUTION}\[([\w, -]+)\]"', named, text)


def edits(folder: Path, copy: Copy) -> list[str]:
    """Return what was done to a copy by hand, such as "edited router/event.py"; byte code does not count."""
    found = []
    present = set()
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        is_link = path.is_symlink()
        if (path.is_dir() and not is_link) or name == MARKER or "__pycache__" in path.parts:
            continue
        present.add(name)
        if name not in copy.files:
            found.append(f"added {name}")
        elif is_link or not path.is_file():  # never read: it may be of another place, or have no end
            found.append(f"replaced {name}")
        elif _hash(path.read_bytes()) != copy.files[name]:
            found.append(f"edited {name}")
    return sorted([*found, *(f"removed {name}" for name in copy.files.keys() - present)])


def is_current(copy: Copy, files: Mapping[str, bytes]) -> bool:
    """Whether a copy is what would be made now."""
    return dict(copy.files) == {name: _hash(content) for name, content in files.items() if name != MARKER}


def _hash(content: bytes) -> str:
    """Hash a file. A checkout on Windows may have other ends of lines in texts; that is not an edit."""
    return sha256(content if b"\0" in content else content.replace(b"\r\n", b"\n")).hexdigest()


def replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put files in the place of a folder as a whole: they are written beside it and renamed.

    Raises:
        OSError: it cannot be written; what was there before is there still.
    """
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent, ignore_cleanup_errors=True) as room:
        new, old = Path(room, "new"), Path(room, "old")
        new.mkdir()
        for name, content in files.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise


def check_folder(folder: Path) -> None:
    """Raise ConfigurationError where a folder cannot be replaced by a copy, whatever is in it."""
    if not folder.parent.is_dir():
        raise ConfigurationError(f"there is no folder {folder.parent}")
    if Path(os.getcwd()).is_relative_to(folder):
        raise ConfigurationError(
            f"{folder} is the current folder, which cannot be replaced: run this from outside of it"
        )
    if any(folder.is_relative_to(library.FOLDER / package) for package in library.PACKAGES):
        raise ConfigurationError(f"{folder} is inside of the library itself")
