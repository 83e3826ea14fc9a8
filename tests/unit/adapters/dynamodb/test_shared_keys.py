"""Keys of other forms: a field in both, a partition that is the same for all, and the tenant of a stream image."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from adapters.dynamodb import Index, Table, UnreadableItem, begins_with, item
from router import Resolver, Session, reset_session, set_session
from router.testing import TestClient
from tests.unit.adapters.dynamodb.samples import Order, User, stubbed


@item(pk="account#{id}", sk="account#{id}")
@dataclass
class Account:
    id: str
    hits: int = 0


@item(pk="products", sk="product#{id}", indexes={"by_name": Index(pk="names", sk="{name}")})
@dataclass
class Product:
    id: str
    name: str = ""


@item(pk="settings", sk="settings")
@dataclass
class Settings:
    theme: str = "dark"


ACCOUNT_KEY = {"pk": {"S": "account#a1"}, "sk": {"S": "account#a1"}}


class TestFieldsInBothKeys:
    def test_a_bare_value_is_the_field(self):
        table = Table("app", [Account])
        assert table.key(Account, "a1") == table.key(Account, {"id": "a1"}) == table.key(Account, Account("a1"))
        assert table.key(Account, "a1") == {"pk": "account#a1", "sk": "account#a1"}

    def test_every_verb_takes_it(self):
        table, stub, _ = stubbed(Account)
        stored = table.schema.item(table.schema.models[0], Account("a1", 1), "")
        stub.add_response("get_item", {"Item": stored}, {"TableName": "app", "Key": ACCOUNT_KEY})
        assert table.get(Account, "a1") == Account("a1", 1)
        stub.add_response("query", {"Items": [stored]})
        assert table.query(Account, "a1").all() == [Account("a1", 1)]
        stub.add_response("update_item", {"Attributes": stored})
        assert table.update(Account, "a1", add={"hits": 1}, upsert=True) == Account("a1", 1)
        stub.add_response("delete_item", {"Attributes": stored})
        assert table.delete(Account, "a1")
        stub.assert_no_pending_responses()

    def test_an_upsert_sets_the_field_once(self):
        table, stub, _ = stubbed(Account)
        requests = []
        client = table._service.aws.client("dynamodb")
        client.meta.events.register(
            "provide-client-params.dynamodb.UpdateItem", lambda params, **_: requests.append(params)
        )
        stored = table.schema.item(table.schema.models[0], Account("a1", 1), "")
        stub.add_response("update_item", {"Attributes": stored})
        table.update(Account, "a1", add={"hits": 1}, upsert=True)
        [request] = requests
        names = {name: placeholder for placeholder, name in request["ExpressionAttributeNames"].items()}
        assert request["UpdateExpression"].count(f"{names['id']} =") == 1


class TestPartitionsThatAreTheSame:
    @pytest.mark.parametrize(
        ("key", "options", "condition", "values"),
        [
            (None, {}, "#n0 = :v0 AND begins_with(#n1, :v1)", ["products", "product#"]),
            ({}, {}, "#n0 = :v0 AND begins_with(#n1, :v1)", ["products", "product#"]),
            ("p1", {}, "#n0 = :v0 AND #n1 = :v1", ["products", "product#p1"]),
            ({"id": "p1"}, {}, "#n0 = :v0 AND #n1 = :v1", ["products", "product#p1"]),
            (begins_with("p"), {}, "#n0 = :v0 AND begins_with(#n1, :v1)", ["products", "product#p"]),
            (None, {"index": "by_name"}, "#n0 = :v0", ["names"]),
            ("Tea", {"index": "by_name"}, "#n0 = :v0 AND #n1 = :v1", ["names", "Tea"]),
        ],
    )
    def test_are_listed_and_searched(self, key, options, condition, values):
        table = Table("app", [Product])
        request = table.query(Product, key, **options)._request
        placeholders = {**request["ExpressionAttributeNames"]}
        text = request["KeyConditionExpression"]
        assert text == condition
        assert [request["ExpressionAttributeValues"][f":v{number}"]["S"] for number in range(len(values))] == values
        assert placeholders["#n0"] in ("pk", "by_name_pk")

    def test_an_only_item_has_no_key_to_give(self):
        table = Table("app", [Settings])
        assert table.key(Settings) == {"pk": "settings", "sk": "settings"}


class TestTenantsOfStreams:
    """What a stream hands over has no session of a tenant: the key says whose it is."""

    table = Table("app", [User, Order], tenant_prefix=True)

    def image(self, tenant, order=None):
        token = set_session(Session(tenant=tenant))
        try:
            schema = self.table.schema
            item = schema.item(schema.models[1], order or Order("u1", date(2025, 1, 1), 1), schema.prefix())
        finally:
            reset_session(token)
        return {name: held.get("S", held) for name, held in item.items() if name not in ("number", "total", "note")} | {
            "number": 1,
            "total": 0,
        }

    @pytest.mark.parametrize("tenant", ["acme", "acme#eu", "a%23b", "a b", "t\u00e9nant", "tenant#x"])
    def test_is_that_of_the_key(self, tenant):
        image = self.image(tenant)
        assert self.table.load(image) == Order("u1", date(2025, 1, 1), 1)
        assert self.table.tenant(image) == tenant

    def test_a_session_of_the_same_tenant_may_be_there_and_of_another_not(self):
        for tenant, fits in (("acme", True), ("other", False), ("acme#eu", False)):
            token = set_session(Session(tenant=tenant))
            try:
                if fits:
                    assert self.table.load(self.image("acme"))
                else:
                    with pytest.raises(UnreadableItem, match="not of the session's tenant"):
                        self.table.load(self.image("acme"))
            finally:
                reset_session(token)

    @pytest.mark.parametrize(
        "key", ["user#u1", "tenant#", "tenant##user#u1", "tenant#acme", "tenant#a b#user#u1", 7, None]
    )
    def test_a_key_without_one_is_refused(self, key):
        image = {**self.image("acme"), "pk": key}
        with pytest.raises(UnreadableItem, match="the key of the item holds no tenant"):
            self.table.load(image)

    def test_without_tenants_there_is_none(self):
        assert Table("app", [User]).tenant({"pk": "user#u1"}) is None

    def test_in_a_handler_of_a_stream(self):
        resolver, seen = Resolver(), []

        @resolver.on_stream("app")
        def changed(event) -> None:
            seen.append((self.table.tenant(event.new), self.table.load(event.new), self.table.load(event.old)))

        answer = TestClient(resolver).stream("app", [("INSERT", None, self.image("acme"))], keys=["pk", "sk"])
        assert answer == {"batchItemFailures": []}
        assert seen == [("acme", Order("u1", date(2025, 1, 1), 1), None)]
