"""The judge of AsyncAPI documents: the parser of the specification's own makers."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tests.servers.artefacts import ASYNCAPI
from tests.servers.tools import find

if TYPE_CHECKING:
    from pathlib import Path

# A newer version of the specification is there: that is no fault of a document.
_NO_FAULTS = frozenset({"asyncapi-latest-version"})


def faults_of(*files: Path) -> list[list[str]]:
    """Return what the parser finds wrong with each document: errors, warnings and hints.

    Raises:
        MissingTool: Node.js is not installed.
    """
    ended = subprocess.run(
        [find("node"), ASYNCAPI.folder / "judge.cjs", *files], capture_output=True, text=True, check=True, timeout=120
    )
    return [
        [f"{severity} {code} at {path}: {message}" for severity, code, message, path in found if code not in _NO_FAULTS]
        for found in json.loads(ended.stdout)
    ]
