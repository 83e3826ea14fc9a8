"""Check the package that is uploaded: a folder or an archive, and folders or archives of its layers."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from router.contract.checking.findings import WARNING, Finding
from router.contract.model import Place
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_LARGEST = 250 * 1024 * 1024  # bytes of a function with its layers, unpacked
_LARGEST_ARCHIVE = 50 * 1024 * 1024  # bytes of an archive that is uploaded without S3
_OURS = ("router", "adapters")
_LARGE = ("boto3", "botocore")
_FOR_DEVELOPERS = ("pip", "pytest", "_pytest", "mypy", "ruff", "moto", "cfnlint", "samtranslator", "IPython")
_UNCHECKED = b"\x01\x00\x00\x00"  # flags of byte code that is taken without a look at the source (PEP 552)
# How libraries of macOS and Windows begin.
_ELSEWHERE = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa", b"\xca\xfe\xba\xbe", b"MZ")
_LAYER = re.compile(r"^python/(lib/python3\.\d+/site-packages/)?")
_MACHINES = {b"\x3e\x00": "x86_64", b"\xb7\x00": "arm64"}  # of an ELF header, at byte 18


@dataclass(frozen=True, slots=True)
class File:
    """A file of a bundle. path: below its root. size: bytes. start: its first 20 bytes, of a library and byte code."""

    path: PurePosixPath
    size: int
    start: bytes

    @property
    def imported(self) -> PurePosixPath:
        """Return its path as Python imports it: layers have it below `python`, or its `site-packages`."""
        return PurePosixPath(_LAYER.sub("", str(self.path)) or self.path)


class Bundle:
    """Hold what is uploaded, or one of its layers.

    root: a folder, or a zip file.

    Raises:
        ConfigurationError: it is neither, or holds nothing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            self.files = tuple(_of_archive(root) if root.is_file() else _of_folder(root))
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # encrypted, or cut
            raise ConfigurationError(f"{root} is neither a folder nor a zip file: {error}") from None
        if not self.files:
            raise ConfigurationError(f"{root} holds no files")
        self.size = sum(one.size for one in self.files)
        self._paths = frozenset(one.path for one in self.files)
        self._imported = frozenset(one.imported for one in self.files)

    def has(self, path: str, *, is_layer: bool = False) -> bool:
        """Whether there is a file of this path below the root; in a layer, where Python looks."""
        return PurePosixPath(path) in (self._imported if is_layer else self._paths)

    def place(self, path: PurePosixPath | str = "") -> Place:
        """Return a file of it as a place, without a line worth the name."""
        return Place((self.root / str(path)).as_posix(), 1)

    def largest(self, most: int = 5) -> list[tuple[str, int]]:
        """Return the largest packages, with their bytes."""
        sizes: dict[str, int] = {}
        for one in self.files:
            top = one.imported.parts[0]
            sizes[top] = sizes.get(top, 0) + one.size
        return sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0]))[:most]


def _of_folder(root: Path) -> Iterator[File]:
    if not root.is_dir():
        raise FileNotFoundError("it is not there")
    for path in sorted(_files_below(root)):
        with path.open("rb") as file:
            start = file.read(20) if _is_binary(path.name) else b""
        yield File(PurePosixPath(path.relative_to(root).as_posix()), path.stat().st_size, start)


def _files_below(root: Path) -> Iterator[Path]:
    """Yield the files of a folder, and of those that links in it name: packers follow them. No loop is followed."""
    seen, waiting = {root.resolve(), *root.resolve().parents}, [root]
    while waiting:
        for path in waiting.pop().iterdir():
            if path.is_symlink() and path.is_dir():
                if (target := path.resolve()) in seen:
                    continue
                seen.add(target)
            if path.is_dir():
                waiting.append(path)
            elif path.is_file():
                yield path


def _of_archive(root: Path) -> Iterator[File]:
    with zipfile.ZipFile(root) as archive:
        for one in archive.infolist():
            if one.is_dir() or not PurePosixPath(one.filename).name:
                continue
            start = b""
            if _is_binary(one.filename):
                with archive.open(one) as file:
                    start = file.read(20)
            yield File(PurePosixPath(one.filename), one.file_size, start)


def _is_binary(name: str) -> bool:
    return name.endswith((".pyc", ".so", ".pyd")) or ".so." in name


def check_bundle(
    bundles: Sequence[Bundle], handler: str = "", runtime: str = "", architecture: str = ""
) -> Iterator[Finding]:
    """Check a function's bundle and its layers.

    bundles: that of the function first.
    handler: `package.module.function`. runtime: `python3.13`. architecture: `arm64`; each may be unknown.
    """
    runtime, architecture = ("" if "*" in one else one for one in (runtime, architecture))
    yield from _sizes(bundles)
    yield from _handler(bundles, handler)
    yield from _twice(bundles)
    for bundle in bundles:
        yield from _byte_code(bundle, runtime)
        yield from _machine(bundle, architecture)
        yield from _for_developers(bundle)
        yield from _merged(bundle)


def _sizes(bundles: Sequence[Bundle]) -> Iterator[Finding]:
    total = sum(one.size for one in bundles)
    largest = ", ".join(f"{name} {_mb(size)}" for name, size in bundles[0].largest())
    if total > _LARGEST:
        yield Finding(
            "size",
            f"{_mb(total)} unpacked, and Lambda takes {_mb(_LARGEST)} with all layers: the largest are {largest}",
            bundles[0].place(),
        )
    root = bundles[0].root
    if root.is_file() and root.stat().st_size > _LARGEST_ARCHIVE:
        yield Finding(
            "size",
            f"the archive has {_mb(root.stat().st_size)}: above {_mb(_LARGEST_ARCHIVE)} it can only come from S3",
            bundles[0].place(),
            WARNING,
        )


def _handler(bundles: Sequence[Bundle], handler: str) -> Iterator[Finding]:
    module = handler.rpartition(".")[0].replace(".", "/")
    if not module or "*" in module:
        return
    bundle = bundles[0]
    ends = (".py", "/__init__.py", ".pyc", "/__init__.pyc")
    if not any(one.has(f"{module}{end}", is_layer=one is not bundle) for one in bundles for end in ends):
        yield Finding(
            "handler", f"the handler {handler} is not in {bundle.root}: it has no {module}.py", bundle.place()
        )


def _twice(bundles: Sequence[Bundle]) -> Iterator[Finding]:
    for package in _LARGE:
        homes = [
            (bundle, one.path.parent)
            for bundle in bundles
            for one in bundle.files
            if one.path.name == "__init__.py" and one.path.parent.name == package and _is_top(one.path.parent)
        ]
        if len(homes) > 1:
            where = " and ".join(str(bundle.root / str(home)) for bundle, home in homes)
            yield Finding("twice", f"{package} is shipped {len(homes)} times: {where}", homes[0][0].place(homes[0][1]))


def _is_top(home: PurePosixPath) -> bool:
    """Whether a folder is one of packages: not `botocore/vendored/...` or the like."""
    above = home.parent.parts
    return not above or above[0] == "python" or above[-1] in ("site-packages", "vendor", "_vendor", "lib")


def _byte_code(bundle: Bundle, runtime: str) -> Iterator[Finding]:
    sources = [one for one in bundle.files if one.path.suffix == ".py"]
    compiled = [one for one in bundle.files if one.path.suffix == ".pyc"]
    if sources and not compiled:
        yield Finding(
            "byte-code",
            f"{len(sources)} modules and no byte code: each cold start compiles them; run python -m compileall "
            "--invalidation-mode unchecked-hash, with the Python of the runtime",
            bundle.place(),
            WARNING,
        )
        return
    dated = [one for one in compiled if one.start[4:8] != _UNCHECKED]
    if dated:
        yield Finding(
            "byte-code",
            f"{len(dated)} of {len(compiled)} files of byte code are compared with the time or hash of their source, "
            "and packaging changes times: compile with --invalidation-mode unchecked-hash",
            bundle.place(dated[0].path),
            WARNING,
        )
    version = runtime.removeprefix("python").replace(".", "") if runtime.startswith("python") else ""
    other = [
        one
        for one in compiled
        if version and one.path.parent.name == "__pycache__" and f".cpython-{version}" not in one.path.name
    ]
    if other:
        yield Finding(
            "byte-code",
            f"{len(other)} files of byte code are of another Python than {runtime}: they are not used",
            bundle.place(other[0].path),
            WARNING,
        )


def _machine(bundle: Bundle, architecture: str) -> Iterator[Finding]:
    for one in bundle.files:
        if one.path.suffix == ".pyc" or not one.start:
            continue
        if one.start[:4] != b"\x7fELF" and not one.start.startswith(_ELSEWHERE):
            continue  # such as the text that a linker reads
        machine = _MACHINES.get(one.start[18:20], "another machine") if one.start[:4] == b"\x7fELF" else "no Linux"
        if machine in ("another machine", "no Linux") or (architecture and machine != architecture):
            yield Finding(
                "architecture",
                f"{one.path} is for {machine}, and the function runs on {architecture or 'Linux'}",
                bundle.place(one.path),
            )
            return  # the others come of the same build


def _for_developers(bundle: Bundle) -> Iterator[Finding]:
    tops = {one.imported.parts[0] for one in bundle.files}
    found = [name for name in _FOR_DEVELOPERS if name in tops]
    if found:
        yield Finding("developers", f"it ships {', '.join(found)}, which no handler needs", bundle.place(), WARNING)


def _merged(bundle: Bundle) -> Iterator[Finding]:
    """Find packages `router` and `adapters` with files of somebody else in them, or without some of the library's."""
    from router.cli.library import sources

    ours = {PurePosixPath(name) for name, _ in sources()}
    prefixes = {"", *(match[0] for one in bundle.files if (match := _LAYER.match(str(one.path))))}
    for prefix in sorted(prefixes):
        for package in _OURS:
            there = {
                PurePosixPath(str(one.path).removeprefix(prefix))
                for one in bundle.files
                if str(one.path).startswith(f"{prefix}{package}/") and one.path.suffix == ".py"
            }
            wanted = {one for one in ours if one.parts[0] == package and one.suffix == ".py"}
            if len(there & wanted) < len(wanted) / 2:
                continue  # none of ours: somebody's package of that name
            yield from _differences(bundle, f"{prefix}{package}", there - wanted, wanted - there, len(wanted))


def _differences(
    bundle: Bundle, package: str, foreign: set[PurePosixPath], missing: set[PurePosixPath], whole: int
) -> Iterator[Finding]:
    if foreign:
        named = ", ".join(str(one) for one in sorted(foreign)[:3])
        yield Finding(
            "merged",
            f"{package} holds the library and {len(foreign)} other modules ({named}): two packages of one name were "
            "merged; rename yours, or use a copy of the library (junction vendor)",
            bundle.place(min(foreign)),
        )
    if missing and len(missing) < whole:
        named = ", ".join(str(one) for one in sorted(missing)[:3])
        yield Finding(
            "merged",
            f"{package} lacks {len(missing)} modules of the library ({named}): it is of another version, or was cut",
            bundle.place(package),
        )


def _mb(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB"


def summary(bundles: Iterable[Bundle]) -> str:
    """Return the sizes of bundles in a line."""
    return "; ".join(
        f"{one.root}: {_mb(one.size)} unpacked ({', '.join(f'{name} {_mb(size)}' for name, size in one.largest(3))})"
        for one in bundles
    )
