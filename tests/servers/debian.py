"""Programs that come from the packages of Debian and Ubuntu, installed where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass

from tests.servers.commands import run
from tests.servers.tools import TOOLS, MissingTool, find

_APT_OPTIONS = (
    # As another user apt could not write to the temporary folder of some containers.
    *("-o", "APT::Sandbox::User=root"),
    # Another installation may be going on.
    *("-o", "DPkg::Lock::Timeout=300"),
)


@dataclass(frozen=True, slots=True)
class DebianProgram:
    """A program of the system.

    name: in `tests.servers.tools.TOOLS`.
    """

    name: str

    @property
    def tools(self) -> tuple[str, ...]:
        """Return the names of the programs that it needs: itself."""
        return (self.name,)

    @property
    def is_present(self) -> bool:
        """Whether it is installed, and new enough."""
        try:
            find(self.name)
        except MissingTool:
            return False
        return True

    def fetch(self) -> bool:
        """Install it unless it is present; return True when it had to.

        Raises:
            MissingTool: it is missing, and this user cannot install it.
            FetchError: the installation failed.
        """
        try:
            find(self.name)
        except MissingTool:
            prefix = _as_root()
            if prefix is None:
                raise
            _install(prefix, TOOLS[self.name].package)
            find(self.name)
            return True
        return False


def _as_root() -> list[str] | None:
    """Return what stands before a command of root; None where this user cannot become root, or there is no apt."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    may = subprocess.run([sudo, "-n", "true"], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    return None if may.returncode else [sudo, "-n"]


def _install(prefix: list[str], package: str) -> None:
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *_APT_OPTIONS, "--quiet"]
    run([*apt, "update"])
    run([*apt, "install", "--yes", "--no-install-recommends", package])
