"""Schemathesis asks an application by its own document: nothing breaks, what fits is taken, and each answer fits."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from router.contract.interface import describe
from router.contract.openapi import VERSIONS, openapi
from router.event import Source
from tests.integration.local.front_server import served
from tests.integration.openapi.described_app import INFO, TOKEN, resolver
from tests.servers.artefacts import SCHEMATHESIS
from tests.servers.lambda_process import LambdaProcess
from tests.servers.locations import SERVERS
from tests.servers.requirements import require_artefact

pytestmark = pytest.mark.timeout(300)


def fuzzed(url: str, document: Path, *words: str) -> dict[str, Any]:
    """Return what schemathesis saw."""
    require_artefact(SCHEMATHESIS)
    program = SERVERS / "python" / "fuzz_openapi.py"
    done = subprocess.run(
        [SCHEMATHESIS.folder / "bin" / "python", "-I", program, url, document, TOKEN, *words],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# 3.0 has no words for some types, such as a list with a type for each place: what fits it need not be taken.
@pytest.mark.parametrize(
    ("source", "version", "words"), [(Source.HTTP, VERSIONS[0], ["exact"]), (Source.REST, VERSIONS[1], [])]
)
def test_each_answer_fits_the_document(source: Source, version: str, words: list[str], tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    described = openapi(describe(resolver, INFO), version)
    document.write_text(json.dumps(described), "utf-8")
    with LambdaProcess("tests.integration.openapi.described_app.handler") as process:

        def call(event: Any) -> Any:
            return process.invoke(event).result

        with served(call, source) as gateway:
            found = fuzzed(gateway.url, document, *words)

    assert not found["faults"], "\n\n".join(f"{name}: {fault}" for name, fault in found["faults"].items())
    asked = {name.removesuffix(" positive") for name in found["statuses"] if name.endswith(" positive")}
    assert len(asked) == sum(len(item) for item in described["paths"].values())
