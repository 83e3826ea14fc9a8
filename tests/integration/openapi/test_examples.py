"""The documents of the example applications are valid, in both versions."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from openapi_spec_validator import validate

from router.contract.openapi import VERSIONS
from tests.servers.locations import REPOSITORY

ENVIRONMENT = {
    "AWS_REGION": "eu-west-1",
    "MONGODB_URI": "mongodb://127.0.0.1:1",
    "NOTES_DATABASE": "notes",
    "OIDC_ISSUER": "https://login.example.com",
    "PAYMENTS_TABLE": "payments",
    "SESSION_SECRET": "0123456789abcdef" * 4,
    "SETTLEMENTS": "settlements",
    "SHOP_URL": "https://shop.example.com",
}
APPLICATIONS = {
    f"examples.{file.parent.name}.app:resolver"
    for file in (REPOSITORY / "examples").glob("*/app.py")
    if re.search(r"^resolver = Resolver\(", file.read_text(), re.MULTILINE)
}


def exported(application: str, *options: str) -> dict[str, Any]:
    """Return the document that the command writes; in a process, since others import the examples otherwise."""
    done = subprocess.run(
        [sys.executable, "-m", "router", "export", "openapi", application, *options],
        cwd=REPOSITORY,
        env={**os.environ, **ENVIRONMENT},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def test_there_are_applications() -> None:
    assert {"examples.orders.app:resolver", "examples.guarded.app:resolver"} < APPLICATIONS


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("application", sorted(APPLICATIONS))
def test_its_document_is_valid(application: str, version: str) -> None:
    document = exported(application, "--openapi", version)

    validate(document)
    assert document["openapi"] == version


def test_the_schemas_of_payments_are_in_the_document() -> None:
    document = exported("examples.guarded.app:resolver")
    body = document["paths"]["/payments"]["post"]["requestBody"]["content"]["application/json"]["schema"]

    model, one_of = body["allOf"]
    assert model == {"$ref": "#/components/schemas/NewPayment"}
    by_person, by_machine = (
        document["components"]["schemas"][one["$ref"].rpartition("/")[2]] for one in one_of["anyOf"]
    )
    assert "note" not in by_person["required"]
    assert "note" in by_machine["required"]
    assert document["paths"]["/payments"]["post"]["security"] == [{"jwt": []}, {"api_key": []}]
    assert document["paths"]["/health"]["get"]["security"] == []
