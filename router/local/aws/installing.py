"""Find the interpreter that has MiniStack; make an environment with it where there is none.

MiniStack demands one version of botocore exactly, so it does not live where the application's packages do.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERSION = "1.5.33"
GIVEN = "JUNCTION_MINISTACK"
"""The variable that names an interpreter which has MiniStack."""
_MOST_S = 600
_WITHOUT = (
    "Without a network, run with --aws none, with --aws URL for an emulator that runs already, or set "
    f"{GIVEN} to the python of an environment with ministack=={VERSION}"
)


def interpreter(say: Callable[[str], None]) -> Path:
    """Return the interpreter that runs MiniStack.

    That is the one of `JUNCTION_MINISTACK`, the current one where it has the very version, or that of an environment in
    the cache folder of the user, which is made when it is needed for the first time.

    say: takes lines about work that takes long.

    Raises:
        ConfigurationError: there is none, and none can be made.
    """
    if given := os.environ.get(GIVEN):
        found = Path(given).expanduser().absolute()  # the server runs in a folder of its own
        if not os.access(found, os.X_OK) or found.is_dir():
            raise ConfigurationError(f"{GIVEN}={given!r:.200} is not a program: name the python of an environment")
        return found
    try:
        if version("ministack") == VERSION:
            return Path(sys.executable)
    except PackageNotFoundError:
        pass
    return _made(cache_folder(), say)


def cache_folder() -> Path:
    """Return the folder of the environment."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # A relative path there counts as none (XDG Base Directory Specification).
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return root / "lambda-junction" / f"ministack-{VERSION}"


def _made(folder: Path, say: Callable[[str], None]) -> Path:
    """Return the interpreter of the environment in a folder; make it where it is not there or is not whole."""
    python = folder / "bin" / "python"
    if _is_whole(python):
        return python
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.with_suffix(".lock")):
            if not _is_whole(python):  # another run may have made it meanwhile
                _make(folder, say)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be made: {error}. {_WITHOUT}") from error
    return python


def _is_whole(python: Path) -> bool:
    """Whether an environment is there, and its Python still is: an upgrade of the system may have taken it away."""
    return python.with_name("ministack").exists() and os.access(python, os.X_OK)


def _make(folder: Path, say: Callable[[str], None]) -> None:
    say(f"Installing MiniStack {VERSION}, the emulator of AWS, in {folder}. It is done once, and takes a minute.")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    # Moved when it is whole: an environment that a Ctrl-C cut short is never taken for one. Nothing in it is run by the
    # scripts that name its first folder.
    has_pip = find_spec("pip") is not None  # one of its own would take longer to install than MiniStack
    _run([sys.executable, "-m", "venv", *(["--without-pip"] if has_pip else []), str(unfinished)])
    python = str(unfinished / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python] if has_pip else [python, "-m", "pip"]
    _run([*pip, "install", "--quiet", "--disable-pip-version-check", f"ministack=={VERSION}"])
    unfinished.rename(folder)
    say("MiniStack is installed.")


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - venv and pip alone
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_MOST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigurationError(f"MiniStack was not installed within {_MOST_S} s. {_WITHOUT}") from None
    if done.returncode:
        last = "\n".join(done.stdout.strip().splitlines()[-5:])
        raise ConfigurationError(f"MiniStack cannot be installed:\n{last}\n{_WITHOUT}")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Let one process at a time make the environment."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
