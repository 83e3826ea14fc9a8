"""Classes described by `@item`, and tables made of them: mistakes are told when the application starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from adapters.dynamodb import Index, InvalidKey, ItemError, Layout, Table, item
from adapters.dynamodb.models import model_of
from adapters.dynamodb.schema import Schema
from router import ConfigurationError, Session, SessionError, reset_session, set_session
from tests.unit.adapters.dynamodb.samples import Order, User

NAIVE = datetime(2025, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@dataclass
class Plain:
    id: str
    at: str = ""
    version: int = 0


def schema(*models, **options):
    return Schema("app", models or [User, Order], layout=options.pop("layout", Layout()), **options)


class TestItem:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"pk": "a#{missing}"}, "a#{missing}: Plain has no field missing"),
            ({"pk": "a#{id}", "sk": "b#{other}"}, "Plain has no field other"),
            ({"pk": "a#{id}", "ttl": "gone"}, "Plain has no field gone"),
            ({"pk": "a#{id}", "version": "gone"}, "Plain has no field gone"),
            ({"pk": "a#{id}#{version}", "version": "version"}, "the version changes with each write"),
            ({"pk": "a#{id}", "indexes": {"by": Index()}}, "the index by has neither pk nor sk"),
            ({"pk": "a#{id}", "indexes": {"by": Index(pk="{gone}")}}, "Plain has no field gone"),
            ({"pk": "a#{id}", "type": ""}, "type='' is empty"),
            ({"pk": "{id}{at}"}, "a field must be followed by #"),
        ],
    )
    def test_refuses_what_cannot_work(self, options, told):
        with pytest.raises(ConfigurationError, match=told):
            item(**options)(Plain)

    def test_refuses_a_class_that_has_no_fields_yet(self):
        with pytest.raises(ConfigurationError, match="must be a dataclass or a pydantic model"):

            @dataclass
            @item(pk="a#{id}")
            class Wrong:
                id: str

    def test_leaves_the_class_as_it_is(self):
        @item(pk="a#{id}")
        class Model(BaseModel):
            id: str

        assert Model(id="1").model_dump() == {"id": "1"}
        assert model_of(Model).name == "Model"

    def test_is_not_inherited(self):
        class Child(User):
            pass

        with pytest.raises(ConfigurationError, match="'Child' is no item: decorate the class"):
            model_of(Child)


class TestTable:
    def test_needs_classes(self):
        with pytest.raises(ConfigurationError, match="table app: give the classes that it holds"):
            Table("app", [])
        with pytest.raises(ConfigurationError, match="'Plain' is no item"):
            Table("app", [Plain])

    def test_refuses_two_classes_that_could_not_be_told_apart(self):
        @item(pk="b#{id}", sk="b", type="User")
        @dataclass
        class Other:
            id: str

        with pytest.raises(ConfigurationError, match="two classes are of the same type"):
            Table("app", [User, Other])

    def test_refuses_classes_with_and_without_a_sort_key(self):
        @item(pk="b#{id}")
        @dataclass
        class Single:
            id: str

        with pytest.raises(ConfigurationError, match="Single has no sk="):
            Table("app", [User, Single])

    def test_refuses_classes_that_differ_in_an_index(self):
        @item(pk="b#{id}", sk="b", indexes={"by_email": Index(pk="b#{id}", sk="b")})
        @dataclass
        class Other:
            id: str

        with pytest.raises(ConfigurationError, match="User, Other differ in the keys of the index by_email"):
            Table("app", [User, Other])

    @pytest.mark.parametrize("name", ["pk", "sk", "_type", "_ttl", "by_id_pk"])
    def test_refuses_a_field_with_the_name_of_an_attribute_of_its_own(self, name):
        made: Any = type("Clash", (), {"__annotations__": {"id": str, name: str}, name: ""})
        clash: Any = item(pk="b#{id}", sk="b", indexes={"by_id": Index(pk="{id}")})(dataclass(made))
        with pytest.raises(ConfigurationError, match=f"Clash.{name} has the name of an attribute"):
            Table("app", [clash])

    def test_may_call_its_own_attributes_otherwise(self):
        @item(pk="b#{pk}", sk="b")
        @dataclass
        class Same:
            pk: str

        assert Table("app", [Same], layout=Layout("PK", "SK")).key(Same, "1") == {"PK": "b#1", "SK": "b"}

    def test_refuses_a_layout_with_a_name_twice(self):
        with pytest.raises(ConfigurationError, match="the layout has a name twice"):
            Table("app", [User], layout=Layout(pk="a", sk="a"))

    def test_refuses_a_class_that_it_does_not_hold(self):
        with pytest.raises(ConfigurationError, match="table app has no 'Plain'; it has User, Order"):
            Table("app", [User, Order]).key(Plain, "1")

    def test_tells_what_it_looks_like(self):
        table = Table("app", [User, Order], layout=Layout(pk="PK", sk="SK"))
        definition = table.definition()
        assert definition["KeySchema"] == [
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ]
        assert [index["IndexName"] for index in definition["GlobalSecondaryIndexes"]] == ["by_email", "by_status"]
        assert [index["KeySchema"] for index in definition["LocalSecondaryIndexes"]] == [
            [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "by_name_sk", "KeyType": "RANGE"}]
        ]
        names = [one["AttributeName"] for one in definition["AttributeDefinitions"]]
        assert names == ["PK", "SK", "by_email_pk", "by_name_sk", "by_status_pk", "by_status_sk"]
        assert repr(table) == "Table('app', [User, Order])"

    def test_may_have_no_sort_key(self):
        @item(pk="b#{id}")
        @dataclass
        class Single:
            id: str

        table = Table("app", [Single])
        assert table.key(Single, "1") == {"pk": "b#1"}
        assert len(table.definition()["KeySchema"]) == 1


class TestKeys:
    table = Table("app", [User, Order])

    def test_are_given_as_a_bare_value_a_mapping_or_an_instance(self):
        expected = {"pk": "user#u1", "sk": "profile"}
        assert self.table.key(User, "u1") == expected
        assert self.table.key(User, {"id": "u1"}) == expected
        assert self.table.key(User, User("u1")) == expected

    @pytest.mark.parametrize(
        ("kind", "key", "told"),
        [
            (Order, "u1", r"Order: give the key as \{'user': ..., 'placed': ..., 'number': ...\}"),
            (User, {"id": "u1", "nmae": "x"}, "User: nmae is not in its key"),
            (User, {}, "id is missing"),
            (User, None, "id is None"),
            (User, {"id": ""}, "id is empty"),
            (User, "x" * 3000, "a key is of 3005 bytes, and DynamoDB takes 2048"),
            (User, "é" * 1100, "a key is of 2205 bytes"),
            (User, "half\ud800", "surrogate"),
        ],
    )
    def test_that_cannot_be_are_refused(self, kind, key, told):
        with pytest.raises(InvalidKey, match=told):
            self.table.key(kind, key)

    def test_of_literal_text_alone_need_no_value(self):
        @item(pk="settings")
        @dataclass
        class Settings:
            theme: str = "dark"

        assert Table("app", [Settings]).key(Settings) == {"pk": "settings"}

    def test_are_given_as_a_mapping_where_there_are_several_fields(self):
        assert self.table.key(Order, {"user": "u", "placed": "2025", "number": 3})["sk"] == "order#2025#0003"


class TestItems:
    def test_hold_fields_keys_type_and_expiry(self):
        held = schema().item(model_of(User), User("u1", "a@x", expires_at=datetime(2025, 1, 1, 0, 0, 0, 1, UTC)), "")
        assert {name: next(iter(value.values())) for name, value in held.items() if name[0] in "_psb"} == {
            "pk": "user#u1",
            "sk": "profile",
            "by_email_pk": "email#a@x",
            "by_name_sk": "name#nobody",
            "_type": "User",
            "_ttl": "1735689601",
        }
        assert held["expires_at"] == {"S": "2025-01-01T00:00:00.000001Z"}

    def test_with_none_in_an_index_key_are_not_in_the_index(self):
        assert "by_email_pk" not in schema().item(model_of(User), User("u1"), "")

    def test_with_an_empty_text_in_an_index_key_are_refused(self):
        with pytest.raises(InvalidKey, match=r"email#\{email\}: email is empty"):
            schema().item(model_of(User), User("u1", ""), "")

    @pytest.mark.parametrize("value", [NAIVE, "soon", True, float("nan"), float("inf")])
    def test_with_an_expiry_that_is_no_moment_are_refused(self, value):
        with pytest.raises(ItemError, match=r"User\.expires_at"):
            schema().item(model_of(User), User("u1", expires_at=value), "")

    def test_may_expire_at_a_number_of_seconds(self):
        assert schema().expiry(model_of(User), 12.5) == {"N": "13"}


class TestTenants:
    @pytest.fixture(autouse=True)
    def nobody(self):
        token = set_session(Session())
        yield
        reset_session(token)

    def test_without_one_there_is_no_key(self):
        table = Table("app", [User], tenant_prefix=True)
        with pytest.raises(SessionError, match="table app keeps tenants apart, and the session has no tenant"):
            table.key(User, "u1")

    @pytest.mark.parametrize(
        ("tenant", "key"),
        [
            ("acme", "tenant#acme#user#u1"),
            ("a#user", "tenant#a%23user#user#u1"),
            ("a%23user", "tenant#a%2523user#user#u1"),
            ("%", "tenant#%25#user#u1"),
            ("a b", "tenant#a%20b#user#u1"),
        ],
    )
    def test_are_in_front_of_every_partition_key(self, tenant, key):
        set_session(Session(tenant=tenant))
        assert Table("app", [User], tenant_prefix=True).key(User, "u1")["pk"] == key

    def test_are_in_front_of_index_keys(self):
        set_session(Session(tenant="acme"))
        tenants = schema(tenant_prefix=True)
        held = tenants.item(model_of(User), User("u1", "a@x"), tenants.prefix())
        assert held["by_email_pk"] == {"S": "tenant#acme#email#a@x"}

    def test_that_are_no_text_are_refused(self):
        set_session(Session(tenant="a\ud800"))
        with pytest.raises(SessionError, match="surrogate"):
            schema(tenant_prefix=True).prefix()

    def test_do_not_matter_where_they_are_not_asked_for(self):
        set_session(Session(tenant="acme"))
        assert Table("app", [User]).key(User, "u1")["pk"] == "user#u1"

    def test_of_a_stream_image_have_to_be_the_session_s(self):
        table = Table("app", [User], tenant_prefix=True)
        image = {"pk": "tenant#acme#user#u1", "sk": "profile", "_type": "User", "id": "u1", "version": 3}
        set_session(Session(tenant="acme"))
        assert table.load(image) == User("u1", version=3)
        set_session(Session(tenant="other"))
        with pytest.raises(ItemError, match="the item is not of the session's tenant"):
            table.load(image)


def test_mutable_defaults_are_not_shared():
    read = Table("app", [User]).load({"_type": "User", "id": "1"})
    read.labels["a"] = 1
    assert Table("app", [User]).load({"_type": "User", "id": "1"}).labels == {}
