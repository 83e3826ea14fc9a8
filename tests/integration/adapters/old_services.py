"""Services that have not moved: aws-python-helper, each version in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.servers.artefacts import AWS_PYTHON_HELPER
from tests.servers.aws import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from tests.servers.locations import SERVERS
from tests.servers.requirements import require_artefact

VERSIONS = sorted(AWS_PYTHON_HELPER)


class OldService:
    """A service on one version; each command is a process."""

    def __init__(self, version: str, folder: Path, **environment: str) -> None:
        require_artefact(AWS_PYTHON_HELPER[version])
        self.version = version
        self.folder = folder
        self.environment = environment

    def __call__(self, command: str, **given: Any) -> tuple[Any, list[dict[str, Any]]]:
        """Run a command of the driver; its result, and whom its classes ran for."""
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY}
        done = subprocess.run(
            [AWS_PYTHON_HELPER[self.version].folder / "bin" / "python", SERVERS / "python" / "old_helper.py", command],
            input=json.dumps(given),
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "AWS_REGION": REGION, "NO_PROXY": "*", **keys, **self.environment},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        answer = json.loads(done.stdout.splitlines()[-1])
        return answer["result"], answer["seen"]
