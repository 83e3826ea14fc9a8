"""Schemathesis asks the shop in a local run: nothing breaks, and each order that was taken is stored."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.servers.artefacts import MINISTACK, SCHEMATHESIS
from tests.servers.gateway import LocalGateway
from tests.servers.locations import REPOSITORY, SERVERS
from tests.servers.process import wait_until
from tests.servers.requirements import require_artefact

pytestmark = pytest.mark.timeout(240)
PRODUCTS = ["tea", "cake"]
WHO = [
    {"name": "x-tenant", "in": "header", "required": True, "schema": {"type": "string", "enum": ["acme", "globex"]}},
    {
        "name": "x-user",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^[a-z]+$"},
    },
]
ORDER = {
    "type": "object",
    "required": ["product"],
    "additionalProperties": False,
    "properties": {
        "product": {"type": "string", "enum": PRODUCTS},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
    },
}
ORDER_ID = {"name": "order_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
ANY: dict[str, Any] = {"default": {"description": "any answer"}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "The shop", "version": "1"},
    "paths": {
        "/orders": {
            "post": {
                "parameters": WHO,
                "requestBody": {"required": True, "content": {"application/json": {"schema": ORDER}}},
                "responses": ANY,
            }
        },
        "/orders/{order_id}": {"get": {"parameters": [*WHO, ORDER_ID], "responses": ANY}},
        "/price-lists": {"post": {"parameters": WHO, "responses": ANY}},
    },
}


def test_what_fits_is_taken_and_stored_and_nothing_breaks(tmp_path: Path) -> None:
    require_artefact(SCHEMATHESIS)
    require_artefact(MINISTACK)
    document = tmp_path / "shop.json"
    document.write_text(json.dumps(DOCUMENT), "utf-8")
    options = ("--env-file", str(REPOSITORY / "examples" / "orders" / "local.env"))
    program = SERVERS / "python" / "fuzz_gateway.py"
    with LocalGateway("examples.orders.stack:stack", *options) as gateway:
        done = subprocess.run(
            [SCHEMATHESIS.folder / "bin" / "python", "-I", program, gateway.url, document],
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        found = json.loads(done.stdout)
        assert {call: set(statuses) for call, statuses in found["statuses"].items() if "positive" in call} == {
            "POST /orders positive": {"202"},
            "GET /orders/{order_id} positive": {"404"},
            "POST /price-lists positive": {"200"},
        }
        assert found["statuses"]["POST /orders negative"].keys() >= {"400", "422"}
        taken, tables = found["taken"], gateway.client("dynamodb")
        good = {f"order#{one}" for one, product in taken.items() if product in PRODUCTS}

        def stored() -> set[str]:
            pages = tables.get_paginator("scan").paginate(TableName="orders")
            return {item["sk"]["S"] for page in pages for item in page["Items"]}

        assert len(good) >= 40
        assert wait_until(lambda: stored() == good, timeout_s=30)
        # The shop takes a product that it does not sell, and its queue tells of it: once or, if a publish was
        # repeated, more often.
        bad = {one for one, product in taken.items() if product not in PRODUCTS}

        def refused() -> set[str]:
            entries = gateway.entries(outcome="failed")
            assert {one["route"] for one in entries} <= {"sqs orders"}
            told = json.dumps([gateway.console(f"events/{one['id']}")["raw"] for one in entries])
            return {one for one in taken if one in told}

        wait_until(lambda: refused() == bad, timeout_s=30)
        assert refused() == bad, gateway.log[-4000:]
