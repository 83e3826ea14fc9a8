"""Objects from files and into files."""

from __future__ import annotations

import os
import stat
from contextlib import aclosing, closing, contextmanager
from pathlib import Path

from adapters._core.blocking import refuse_blocking
from adapters.errors import InvalidMessage
from adapters.s3.streaming import _MOST_PARTS, _PART, Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator
    from typing import IO, Any

    from adapters.s3.objects import S3Object

_MEBIBYTE = 1024 * 1024
_COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


class Files(Streams):
    """The verbs of a bucket that take a path."""

    def upload_file(self, key: str, path: str | os.PathLike[str], **options: Any) -> S3Object:
        """Write an object from a file, a large one in parts; options as of `put`.

        content_type: guessed from the file's name by default.

        Raises:
            OSError: the file cannot be read. Nothing is sent then, or what was sent is thrown away.
        """
        refuse_blocking(self, "upload_file")
        with open(_checked(path), "rb") as file:
            return self.upload(key, file, part_size=_part_size(file), **_typed(path, options))

    async def upload_file_async(self, key: str, path: str | os.PathLike[str], **options: Any) -> S3Object:
        """Do as `upload_file` does, without blocking the event loop."""
        file = await self.aws.in_thread(open, _checked(path), "rb")
        try:
            size = _part_size(file)
            return await self.upload_async(key, self._read(file, size), part_size=size, **_typed(path, options))
        finally:
            await self.aws.in_thread(file.close)

    def download_file(self, key: str, path: str | os.PathLike[str], *, version: str | None = None) -> Path:
        """Read an object into a file and return its path. The file is there when it is whole, or stays as it was.

        Raises:
            ObjectNotFound: there is no such object.
            OSError: the file cannot be written, such as in a folder that is not there.
        """
        refuse_blocking(self, "download_file")
        with _whole(path) as file, closing(self._stream(key, self._object_of(key, version), _MEBIBYTE)) as chunks:
            for chunk in chunks:
                file.write(chunk)
        return Path(path)

    async def download_file_async(self, key: str, path: str | os.PathLike[str], *, version: str | None = None) -> Path:
        """Do as `download_file` does, without blocking the event loop."""
        request = self._object_of(key, version)
        with _whole(path) as file:
            async with aclosing(self._stream_async(key, request, _MEBIBYTE)) as chunks:
                async for chunk in chunks:
                    await self.aws.in_thread(file.write, chunk)
        return Path(path)

    async def _read(self, file: IO[bytes], size: int) -> AsyncIterator[bytes]:
        while piece := await self.aws.in_thread(file.read, size):
            yield piece


def _checked(path: str | os.PathLike[str]) -> Path:
    """Return a path. A number would be a file of this process that is open already."""
    if not isinstance(path, str | os.PathLike):
        raise InvalidMessage(f"s3: give the path of a file, not {type(path).__name__}")
    try:
        sound = b"\x00" not in os.fsencode(path)
    except UnicodeError:
        sound = False
    if not sound:
        raise InvalidMessage(f"s3: no file can have the path {str(path)[:80]!a}")
    return Path(path)


@contextmanager
def _whole(path: str | os.PathLike[str]) -> Generator[IO[bytes]]:
    """Open a file beside the path, which takes its place when all is written."""
    place = _checked(path)
    if place.is_symlink():  # what it leads to is meant, as with any other write
        place = place.resolve()
    if place.is_dir():
        raise IsADirectoryError(f"download_file: {place} is a folder; give the path of a file")
    part = place.with_name(f".{os.urandom(8).hex()}.part")
    try:
        with open(part, "xb") as file:
            yield file
        if place.exists():  # a file that others may not read stays one
            part.chmod(stat.S_IMODE(place.stat().st_mode))
        os.replace(part, place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _part_size(file: IO[bytes]) -> int:
    """Return a size of parts of which S3 takes as many as the file has."""
    size = os.fstat(file.fileno()).st_size
    return max(_PART, -(-size // _MOST_PARTS))


def _typed(path: str | os.PathLike[str], options: dict[str, Any]) -> dict[str, Any]:
    """Return the options, with the content type that the name of the file tells."""
    if options.get("content_type") is not None:
        return options
    from mimetypes import guess_type

    kind, compression = guess_type(os.fspath(path))
    if compression is not None:  # it is the archive that is stored
        kind = _COMPRESSED.get(compression)
    return {**options, "content_type": kind}
