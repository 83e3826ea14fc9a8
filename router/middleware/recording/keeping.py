"""Keep recordings: in a folder of which size and number are limited, or in a bucket of S3."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock, Thread
from time import monotonic

from router.errors import ConfigurationError
from router.middleware.recording.form import SETTINGS, write_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from router.environment.needs import Need

    class Puts(Protocol):
        """Something that keeps objects by a key, such as `adapters.s3.S3`."""

        def put(self, key: str, body: Any, /) -> Any:
            """Keep an object. body: bytes."""


_AT_ONCE = 8  # writes to a bucket
_LOOK_AGAIN = 64  # recordings after which the folder is looked at again: other processes may write into it, too


class Folder:
    """Keep recordings as files.

    path: the folder; it is made when it is needed. files: the most files. total: the most bytes.
    full: "oldest" deletes the oldest for a new one, "stop" keeps no more.
    """

    def __init__(self, path: str | os.PathLike[str], files: int, total: int, full: str) -> None:
        self._path = Path(path)
        self._files = files
        self._total = total
        self._stops = full == "stop"
        self.lock = Lock()
        self._held: dict[str, int] = {}  # the size of each file, the oldest first
        self._until_look = 0

    def __str__(self) -> str:
        return str(self._path)

    def keep(self, id: str, data: bytes, seconds: float) -> bool:
        """Write a recording. Return whether it was kept. seconds: of no meaning here."""
        with self.lock:
            if self._until_look <= 0:
                self._look()
            self._until_look -= 1
            if len(data) > self._total:
                return False
            while self._held and (len(self._held) >= self._files or sum(self._held.values()) + len(data) > self._total):
                if self._stops:
                    return False
                oldest = next(iter(self._held))
                (self._path / oldest).unlink(missing_ok=True)
                del self._held[oldest]
            name = f"{id}.json"
            write_whole(self._path / name, data)
            self._held[name] = len(data)
            return True

    def finish(self, seconds: float) -> None:
        """Do nothing: each file has been written."""

    def needs(self) -> list[Need]:
        """Return nothing: a folder is not of AWS."""
        return []

    def _look(self) -> None:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        held: dict[str, int] = {}
        with os.scandir(self._path) as found:
            for one in sorted(found, key=lambda one: one.name):
                if one.name.endswith(".json") and one.name != SETTINGS and not one.name.startswith("."):
                    try:
                        held[one.name] = one.stat().st_size
                    except FileNotFoundError:  # another process has deleted it
                        continue
        self._held, self._until_look = held, _LOOK_AGAIN


class Bucket:
    """Keep recordings as objects. A process keeps so many and no more: a rule of the bucket deletes the old ones.

    store: has `put(key, body)`. prefix: of the keys. files: the most objects of this process. total: their bytes.
    """

    def __init__(self, store: Puts, prefix: str, files: int, total: int) -> None:
        self._store = store
        self._prefix = prefix
        self._files = files
        self._total = total
        self._writing: set[Thread] = set()
        self.lock = Lock()

    def __str__(self) -> str:
        return f"{type(self._store).__name__} {self._prefix}"

    def keep(self, id: str, data: bytes, seconds: float) -> bool:
        """Write a recording. Return whether it was kept.

        seconds: how long Lambda waits for it. Elsewhere nobody waits: the process goes on, and is not frozen.

        Raises:
            TimeoutError: it has taken longer, or others have taken too long.
            Exception: what the store raised, where it was waited for.
        """
        waits = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
        failed: list[Exception] = []
        # In a thread of its own: nothing else can be left alone when its time is up, or be called within an event loop.
        thread = Thread(target=self._put, args=(id, data, failed if waits else None), name="recorder", daemon=True)
        with self.lock:
            if self._files <= 0 or self._total < len(data):
                return False
            self._writing = {one for one in self._writing if one.is_alive()}
            if len(self._writing) >= _AT_ONCE:
                raise TimeoutError(f"{_AT_ONCE} are being written already")
            self._files -= 1
            self._total -= len(data)
            thread.start()
            self._writing.add(thread)
        if waits:
            thread.join(seconds)
            if thread.is_alive():
                raise TimeoutError(f"it was not written within {seconds:.1f} seconds")
            if failed:
                raise failed[0]
        return True

    def finish(self, seconds: float) -> None:
        """Wait for what is being written."""
        until = monotonic() + seconds
        for thread in tuple(self._writing):
            thread.join(max(0.0, until - monotonic()))

    def needs(self) -> list[Need]:
        """Return what the store needs, where it says which bucket it is."""
        from router.environment.needs import Need

        bucket = getattr(self._store, "bucket", None)
        return [Need(("s3:PutObject",), "objects", f"{bucket}/{self._prefix}*")] if isinstance(bucket, str) else []

    def _put(self, id: str, data: bytes, failed: list[Exception] | None) -> None:
        try:
            made = self._store.put(f"{self._prefix}{id}.json", data)
            if hasattr(made, "__await__"):
                from asyncio import run

                async def wait() -> None:
                    await made

                run(wait())
        except Exception as error:
            if failed is None:
                log_once(self, "a recording was not kept", error)
            else:
                failed.append(error)


# ---- what is logged ------------------------------------------------------------------------------------------------

_logged: set[tuple[int, str, str]] = set()


def log_once(owner: object, message: str, error: Exception) -> None:
    """Log an error of a kind that an object has not logged yet: a full disk would say it with each event."""
    kind = (id(owner), message, type(error).__name__)
    if kind in _logged:
        return
    _logged.add(kind)
    from router.dispatch.tracebacks import log_error

    log_error("recorder: %s; another one like it is not logged", error, message)


def store_of(to: Any, prefix: str, files: int, total: int, full: str) -> Folder | Bucket:
    """Return what keeps recordings.

    Raises:
        ConfigurationError: it is neither the path of a folder nor something with `put`.
    """
    if isinstance(to, str | os.PathLike):
        if not os.fspath(to):
            raise ConfigurationError("Recorder(''): give the path of a folder")
        return Folder(to, files, total, full)
    put: Callable[..., Any] | None = getattr(to, "put", None)
    if isinstance(to, type) or not callable(put):
        raise ConfigurationError(f"Recorder({to!r:.80}): give the path of a folder, or an object with put(key, body)")
    if getattr(to, "tenant_prefix", False):
        raise ConfigurationError("Recorder(S3(tenant_prefix=True)): a call may be of several tenants; give one without")
    return Bucket(to, prefix, files, total)
