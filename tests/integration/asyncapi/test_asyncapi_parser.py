"""AsyncAPI documents are valid by the parser that the makers of the specification give out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.artefacts import ASYNCAPI
from tests.servers.asyncapi import faults_of
from tests.servers.requirements import require_artefact

ROOT = Path(__file__).parents[3]
APPLICATIONS = (
    "examples.chat.app:resolver",
    "examples.guarded.app:resolver",
    "examples.orders.app:resolver",
    "examples.orders.stack:stack",
    "examples.tenants.app:resolver",
    "tests.unit.router.contract.asyncapi.guarded_socket:resolver",
    "tests.unit.router.contract.asyncapi.messaged:resolver",
    "tests.unit.router.contract.asyncapi.messaged:stack",
)

VARIABLES = {
    "AWS_REGION": "eu-west-1",
    "MONGODB_URI": "mongodb://127.0.0.1:1/notes",
    "OIDC_ISSUER": "https://issuer.example",
    "PAYMENTS_TABLE": "payments",
    "SESSION_SECRET": "0123456789abcdef" * 4,
}


@pytest.fixture(autouse=True)
def _parser() -> None:
    require_artefact(ASYNCAPI)


def exported(application: str, file: Path) -> dict[str, Any]:
    subprocess.run(  # in a process: examples need variables of their own when they are imported
        [sys.executable, "-m", "router", "export", "asyncapi", application, "-o", file],
        cwd=ROOT,
        env={**os.environ, **VARIABLES},
        check=True,
        capture_output=True,
    )
    return dict(json.loads(file.read_text("utf-8")))


def test_every_application_has_a_valid_document(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.json" for number, _ in enumerate(APPLICATIONS)]
    for application, file in zip(APPLICATIONS, files, strict=True):
        exported(application, file)
    found = dict(zip(APPLICATIONS, faults_of(*files), strict=True))
    assert found == {application: [] for application in APPLICATIONS}


def test_the_parser_does_find_faults(tmp_path: Path) -> None:
    file = tmp_path / "document.json"
    exported(APPLICATIONS[-1], file)
    broken: dict[str, dict[str, Any]] = {
        name: json.loads(file.read_text("utf-8")) for name in ("channel", "parameters", "references")
    }
    other = [{"$ref": "#/channels/topic_order_events/messages/Order"}]
    broken["channel"]["operations"]["take"]["messages"] = other
    broken["parameters"]["channels"]["queue_jobs_any"]["parameters"] = {"other": {}}
    del broken["references"]["components"]["schemas"]["Paid"]
    files = [tmp_path / f"{name}.json" for name in broken]
    for one, made in zip(files, broken.values(), strict=True):
        one.write_text(json.dumps(made), "utf-8")
    found = faults_of(*files)
    codes = (
        "asyncapi3-operation-messages-from-referred-channel",
        "asyncapi3-channel-parameters",
        "invalid-ref",
    )
    for code, told in zip(codes, found, strict=True):
        assert code in "\n".join(told)


def test_the_parser_reads_what_is_written_of_protobuf(tmp_path: Path) -> None:
    file = tmp_path / "document.json"
    made = exported(APPLICATIONS[-1], file)
    message = made["channels"]["kafka_parcels"]["messages"]["Parcel"]
    text = message["description"].partition("```proto\n")[2].removesuffix("```")
    for schema, is_sound in ((text, True), (text.replace("message Money", "message Coins"), False)):
        message["payload"] = {"schemaFormat": "application/vnd.google.protobuf;version=3", "schema": schema}
        file.write_text(json.dumps(made), "utf-8")
        assert (faults_of(file) == [[]]) is is_sound
