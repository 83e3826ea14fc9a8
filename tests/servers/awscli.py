"""The AWS CLI, as people type it into a terminal."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.servers.artefacts import AWSCLI
from tests.servers.aws import environment

_TIMEOUT_S = 60


def aws(url: str, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `aws WORDS` against a server on this machine, with made-up credentials, and return what it printed.

    cwd: the folder that it runs in, and where it finds and writes files.
    """
    with tempfile.TemporaryDirectory(prefix="awscli-") as home:
        return subprocess.run(
            [AWSCLI.folder / "bin" / "python", "-I", "-m", "awscli", "--endpoint-url", url, *words],
            # Nothing of the person's own settings, proxies among them, and no pager.
            env={**environment(url), "HOME": home, "PATH": "/usr/bin:/bin", "AWS_PAGER": ""},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
