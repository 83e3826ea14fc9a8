"""The storefront buys at the shop by the client that is made of its routes; each has a local run of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from router.local.settings import REGION
from tests.servers.artefacts import MINISTACK
from tests.servers.gateway import LocalGateway
from tests.servers.requirements import require_artefact

pytestmark = pytest.mark.timeout(240)

SHOP = "examples.orders.stack:stack"
STOREFRONT = "examples.storefront.app:resolver"
ENVIRONMENT = ("--env-file", "examples/orders/local.env")  # of both, since sessions are signed with one secret
ANN = {"x-tenant": "acme", "x-user": "ann"}
BEN = {"x-tenant": "globex", "x-user": "ben"}


@pytest.fixture(scope="module")
def shop() -> Iterator[LocalGateway]:
    require_artefact(MINISTACK)
    with LocalGateway(SHOP, *ENVIRONMENT) as run:
        yield run


@pytest.fixture(scope="module")
def storefront(shop: LocalGateway) -> Iterator[LocalGateway]:
    variables = {
        "SHOP_URL": shop.urls["http"],
        "SHOP_FUNCTION": function_of(shop),
        "AWS_ENDPOINT_URL": shop.urls["aws"],
        "AWS_ENDPOINT_URL_LAMBDA": shop.urls["http"],
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with LocalGateway(STOREFRONT, "--aws", "none", *ENVIRONMENT, variables=variables) as run:
        yield run


def function_of(shop: LocalGateway) -> str:
    [function] = shop.client("lambda").list_functions()["Functions"]
    return str(function["FunctionName"])


def ask(run: LocalGateway, method: str, path: str, who: dict[str, str], body: Any = None) -> tuple[int, Any]:
    status, answer = run.request(method, path, body, who)
    return status, json.loads(answer)


def seen(shop: LocalGateway, source: str, text: str) -> list[tuple[str, str, str]]:
    """Return source, tenant and outcome of what the shop saw."""
    shop.wait_for(lambda: {one["outcome"] for one in shop.entries(source=source, q=text)} - {"running"})
    return [(one["source"], one["tenant"], one["outcome"]) for one in shop.entries(source=source, q=text)]


def test_an_order_is_placed_and_read_for_the_tenant_of_the_customer(
    shop: LocalGateway, storefront: LocalGateway
) -> None:
    status, receipt = ask(storefront, "POST", "/checkout", ANN, {"product": "tea", "quantity": 2})
    assert status == 201, storefront.log[-4000:]
    order_id = receipt["order_id"]
    shop.wait_for(lambda: ask(storefront, "GET", f"/parcels/{order_id}", ANN)[0] == 200)
    assert ask(storefront, "GET", f"/parcels/{order_id}", ANN)[1] == {
        "order_id": order_id,
        "state": "waiting",
        "total": "9.00",
    }
    assert {tenant for _, tenant, _ in seen(shop, "http", order_id)} == {"acme"}
    assert set(seen(shop, "sqs", order_id)) == {("sqs", "acme", "done")}


def test_an_error_of_the_shop_has_its_detail(storefront: LocalGateway) -> None:
    status, problem = ask(storefront, "GET", "/parcels/none", ANN)
    assert (status, problem["detail"]) == (404, "there is no order none")


def test_a_message_and_an_invocation_carry_the_tenant(shop: LocalGateway, storefront: LocalGateway) -> None:
    status, receipt = ask(storefront, "POST", "/reorders", BEN, {"product": "cake", "quantity": 3})
    assert status == 202, storefront.log[-4000:]
    assert set(seen(shop, "sqs", receipt["order_id"])) == {("sqs", "globex", "done")}
    status, account = ask(storefront, "GET", "/account", BEN)
    assert status == 200, storefront.log[-4000:]
    assert (account["tenant"], account["orders"]) == ("globex", 1)
    assert ("invoke", "globex", "done") in seen(shop, "invoke", "rebuild")
