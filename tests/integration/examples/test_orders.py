"""The orders example: sources that carry no session work for the right tenant, and for nobody else."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from router import RecordsFailed, Session, SessionError, set_session
from router.dispatch.loop import close_loop
from router.testing import Calls, TestClient
from tests.e2e.connections_api import ConnectionsApi, connections_api
from tests.servers.moto import MotoServer

ANN = Session(tenant="acme", user="ann", correlation_id="c-1")
BOB = Session(tenant="globex", user="bob", correlation_id="c-2")
PARTNER = "aws.partner/pay.example.com/shop"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="session")  # as long as the modules of the example know its port, and those are imported once
def sockets() -> Iterator[ConnectionsApi]:
    with connections_api() as running:
        yield running


@pytest.fixture(scope="session")
def example(moto_server: MotoServer, sockets: ConnectionsApi) -> Iterator[Any]:
    """The example's modules, as they are imported where the function runs."""
    from examples.orders.demo.resources import VARIABLES, create_resources

    with pytest.MonkeyPatch.context() as names:
        for name, value in VARIABLES.items():
            names.setenv(name, value)
        with pytest.MonkeyPatch.context() as environment:
            for name, value in moto_server.environment().items():
                environment.setenv(name, value)
            environment.setenv("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI", sockets.url)
            environment.setenv("SESSION_SECRET", "0123456789abcdef" * 4)
            from examples.orders import app, prices, services, storage

            app.resolver.load_environment()  # as the first event would
        with Calls(app.resolver) as calls:
            yield SimpleNamespace(app=app, prices=prices, services=services, storage=storage, create=create_resources)
        calls.check(unused=True)  # the policy of the template allows what the routes declare, and nothing else
    close_loop()


@dataclass
class Shop:
    """The application with its resources, and questions to both."""

    example: Any
    moto: MotoServer
    sockets: ConnectionsApi
    client: TestClient

    def order(self, order_id: str, whose: Session = ANN, product: str = "tea") -> None:
        """Let a message of the queue be handled."""
        message = {"order_id": order_id, "product": product, "quantity": 2}
        assert self.client.queue("orders", [message], session=whose) == {"batchItemFailures": []}

    def image(self, order_id: str, whose: Session = ANN) -> dict[str, Any]:
        """Return an order as a stream record has it."""
        key = {"pk": {"S": f"tenant#{whose.tenant}#orders"}, "sk": {"S": f"order#{order_id}"}}
        item = self.moto.client("dynamodb").get_item(TableName="orders", Key=key)["Item"]
        return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}

    def status(self, order_id: str, whose: Session = ANN) -> str:
        return str(self.image(order_id, whose)["status"])

    def connect(self, connection_id: str, whose: Session) -> None:
        claims = {"tenant": whose.tenant, "user": whose.user}
        assert self.client.connect(connection_id=connection_id, authorizer=claims)["statusCode"] == 200

    def pay(self, reference: str, state: str = "succeeded", **options: Any) -> None:
        self.client.bus("Payment", {"state": state, "reference": reference}, source=PARTNER, **options)

    def upload(self, content: bytes, key: str = "tenants/acme/prices.csv") -> None:
        self.moto.client("s3").put_object(Bucket="shop-uploads", Key=key, Body=content)
        self.client.object("shop-uploads", key)

    def price(self, product: str, whose: Session = ANN) -> Decimal:
        with set_session(whose):
            price: Decimal = self.example.prices.price_of(product)
            return price


@pytest.fixture
def shop(example: Any, moto: MotoServer, sockets: ConnectionsApi) -> Shop:
    example.create(example.services.aws)
    sockets.sent.clear()
    return Shop(example, moto, sockets, TestClient(example.app.resolver))


class TestStream:
    def test_an_order_outlives_the_signature_of_the_session_it_was_placed_with(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shop.order("o-1")
        image, policy = shop.image("o-1"), shop.example.app.resolver.session_policy
        signed = policy.issue(ANN)
        later = time.time() + timedelta(days=500).total_seconds()
        monkeypatch.setattr(time, "time", lambda: later)
        with pytest.raises(SessionError, match="expired"):
            policy.open(signed)

        shop.connect("a-1", ANN)
        shop.connect("b-1", BOB)
        changed = [("MODIFY", image, {**image, "status": "billed"})]
        removed = [("REMOVE", image, None)]
        answers = [
            shop.client.stream("orders", changed, keys=("pk", "sk")),
            shop.client.stream("orders", removed, keys=("pk", "sk"), expired=True),
        ]

        assert answers == [{"batchItemFailures": []}] * 2
        told = {"type": "order", "order_id": "o-1", "total": "9.00", "user": "ann"}
        assert shop.sockets.sent == {"a-1": [{**told, "status": "billed"}, {**told, "status": "removed"}]}

    def test_no_signature_is_kept_in_an_item(self, shop: Shop) -> None:
        shop.order("o-1")

        image = shop.image("o-1")
        assert (image["tenant"], image["user"], image["correlation_id"]) == ("acme", "ann", "c-1")
        assert "session" not in image

    def test_an_item_that_lies_about_its_tenant_fails_and_nobody_is_told(self, shop: Shop) -> None:
        shop.order("o-1")
        shop.connect("b-1", BOB)
        forged = {**shop.image("o-1"), "tenant": "globex"}

        answer = shop.client.stream("orders", [("INSERT", None, forged)], keys=("pk", "sk"))
        assert len(answer["batchItemFailures"]) == 1
        assert shop.sockets.sent == {}


class TestPriceLists:
    def test_a_list_that_was_uploaded_as_told_sets_the_prices_of_its_tenant(self, shop: Shop) -> None:
        headers = {"x-tenant": "acme", "x-user": "ann"}
        upload = shop.client.post("/price-lists", headers=headers).json()
        request = urllib.request.Request(upload["url"], b"tea,5.00\nscone,2\n", upload["headers"], method="PUT")
        with DIRECT.open(request, timeout=10) as response:
            assert response.status == 200
        shop.client.object("shop-uploads", "tenants/acme/prices.csv")

        assert (shop.price("tea"), shop.price("scone")) == (Decimal("5.00"), Decimal(2))
        assert shop.price("tea", BOB) == Decimal("4.50")
        with pytest.raises(shop.example.prices.NotSold):
            shop.price("scone", BOB)

    def test_a_list_with_a_wrong_line_changes_nothing_and_fails_the_call(self, shop: Shop) -> None:
        with pytest.raises(RecordsFailed, match="line 2 is not a product and a price"):
            shop.upload(b"tea,5.00\ncake,much\n")
        assert shop.price("tea") == Decimal("4.50")

    def test_other_objects_are_acknowledged_and_not_read(self, shop: Shop) -> None:
        shop.client.object("shop-uploads", ["tenants/acme/photo.png", "prices.csv"])
        shop.client.object("shop-uploads", "tenants/acme/prices.csv", event="ObjectRemoved:Delete")

    def test_a_key_without_a_tenant_is_refused(self, shop: Shop) -> None:
        with pytest.raises(RecordsFailed, match="the session has no tenant"):
            shop.client.object("shop-uploads", "tenants//prices.csv")


class TestPayments:
    def test_a_payment_that_succeeded_pays_its_order_and_no_other(self, shop: Shop) -> None:
        shop.order("o-1")
        shop.order("o-1", BOB)
        shop.pay("acme/o-1", state="failed")
        assert shop.status("o-1") == "open"

        shop.pay("acme/o-1")
        assert (shop.status("o-1"), shop.status("o-1", BOB)) == ("paid", "open")

    @pytest.mark.parametrize("reference", ["acme/unknown", "globex/o-1", "/o-1", "o-1", ""])
    def test_a_payment_of_no_order_fails_so_that_somebody_hears_of_it(self, shop: Shop, reference: str) -> None:
        shop.order("o-1")
        with pytest.raises(RecordsFailed):
            shop.pay(reference)
        assert shop.status("o-1") == "open"

    def test_a_session_that_nobody_signed_is_refused(self, shop: Shop) -> None:
        shop.order("o-1")
        with pytest.raises(RecordsFailed, match="not signed"):
            shop.pay("acme/o-1", session='{"tenant": "acme", "user": "admin"}')
        assert shop.status("o-1") == "open"


class TestSchedule:
    def test_what_was_not_paid_in_time_expires_for_each_tenant(self, shop: Shop) -> None:
        for whose in (ANN, BOB):
            shop.order("o-1", whose)
            shop.order("o-2", whose)
        shop.pay("globex/o-2")
        shop.client.schedule("expire-unpaid")
        assert [shop.status("o-1", whose) for whose in (ANN, BOB)] == ["open", "open"]

        later = datetime.now(UTC) + timedelta(days=15)
        for _ in range(2):  # schedules come twice at times
            shop.client.schedule("expire-unpaid", timestamp=later)
        assert [shop.status("o-1", whose) for whose in (ANN, BOB)] == ["expired", "expired"]
        assert [shop.status("o-2", whose) for whose in (ANN, BOB)] == ["expired", "paid"]


@pytest.mark.parametrize(
    "content",
    [b"tea", b"tea,1,2", b",1", b"tea,NaN", b"tea,-1", b"tea,Infinity", b"cake,1\n\ntea,2", b"tea;1"],
)
def test_a_line_of_a_price_list_is_a_product_and_a_price(example: Any, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"line \d is not a product and a price"):
        example.prices.read_price_list(content)


def test_a_price_list_may_come_from_a_spreadsheet(example: Any) -> None:
    content = b'\xef\xbb\xbftea,1\r\n"tea",2.50\r\n'

    [price] = example.prices.read_price_list(content)
    assert (price.product, price.amount) == ("tea", Decimal("2.50"))
