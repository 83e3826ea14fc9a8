"""What schemathesis makes of a document: what fits is taken, what does not is refused with its place and no secret."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.integration.validation.orders import running
from tests.servers.artefacts import SCHEMATHESIS
from tests.servers.locations import SERVERS
from tests.servers.requirements import require_artefact


@pytest.mark.parametrize("kind", ["schemas", "models", "classes"])
def test_what_fits_is_taken_and_what_does_not_is_refused(kind: str) -> None:
    require_artefact(SCHEMATHESIS)
    program = SERVERS / "python" / "fuzz.py"
    with running() as url:
        done = subprocess.run(
            [SCHEMATHESIS.folder / "bin" / "python", "-I", program, url, f"/{kind}"],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    statuses = json.loads(done.stdout)
    assert statuses["positive"].keys() == {"200"}
    assert statuses["negative"].keys() >= {"422"}
