"""What a test says when it needs more than Python: in CI it fails without, elsewhere it is left out and listed."""

from __future__ import annotations

from typing import NoReturn

import pytest

from tests.servers.artefacts import Artefact
from tests.servers.debian import DebianProgram
from tests.servers.tools import MissingTool, find, in_ci

LEFT_OUT = "left out: "
"""How the reasons begin by which the end of a run recognises them."""


def require(*tools: str) -> None:
    """Lets a test go on only with these programs installed, names of `tests.servers.tools.TOOLS`."""
    for tool in tools:
        try:
            find(tool)
        except MissingTool as missing:
            _leave_out(str(missing))


def require_artefact(artefact: Artefact | DebianProgram) -> None:
    """Lets a test go on only when a server's files have been fetched or built, and what runs them is installed."""
    if not artefact.is_present:
        require(*artefact.tools)
        _leave_out(f"{artefact.name} is not there: run `python -m tests.servers.fetch`")
    for runtime in ("java", "node"):
        if runtime in artefact.tools:
            require(runtime)


def _leave_out(reason: str) -> NoReturn:
    if in_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(LEFT_OUT + reason)
