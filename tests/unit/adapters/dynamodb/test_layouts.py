"""Items of other programs: without a type, under keys that are made otherwise, and with None left out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from adapters.dynamodb import (
    AlreadyExists,
    ConditionFailed,
    Index,
    InvalidKey,
    InvalidKeyValue,
    InvalidRequest,
    InvalidValue,
    ItemNotFound,
    Layout,
    Table,
    UnreadableItem,
    begins_with,
    between,
    gt,
    item,
    lt,
)
from router import ConfigurationError, Session, reset_session, set_session
from tests.unit.adapters.dynamodb.samples import Order, User, stubbed


@item(pk="product#{id}", sk="product#{id}", raw_keys=True, indexes={"gsi1": Index(pk="products", sk="name#{name}")})
@dataclass
class Product:
    id: str
    name: str | None = None
    price: int = 0


@item(
    pk="user#{user}",
    sk="visit#{day}#{id}",
    parts={"day": lambda at: f"{at:%Y%m%d}", "mail": lambda email: (email or "").lower()},
    indexes={"by_mail": Index(pk="mail#{mail}")},
)
@dataclass
class Visit:
    user: str
    id: str
    at: datetime
    email: str | None = None


UNTYPED = Layout(type=None)
FOREIGN = {"pk": {"S": "user#u1"}, "sk": {"S": "order#2025-01-01#0001"}, "user": {"S": "u1"}}
ENTITY = {"pk": {"S": "product#p 2#x"}, "sk": {"S": "product#p 2#x"}, "id": {"S": "p 2#x"}, "price": {"N": "5"}}


def condition(request: Any, name: str = "KeyConditionExpression") -> str:
    """An expression with its names and values in place."""
    text = request[name]
    for key, held in request.get("ExpressionAttributeNames", {}).items():
        text = text.replace(f"{key} ", f"{held} ").replace(f"{key},", f"{held},").replace(f"{key})", f"{held})")
    for key, held in request.get("ExpressionAttributeValues", {}).items():
        text = text.replace(key, str(*held.values()))
    return str(text)


class TestWithoutType:
    def test_items_are_read_and_written_without_one(self):
        table, stub, _ = stubbed(Product, layout=UNTYPED)
        stub.add_response("get_item", {"Item": ENTITY})
        product = table.get(Product, "p 2#x")
        assert product == Product("p 2#x", None, 5)
        written = table.schema.item(table.schema.models[0], product, "")
        assert written.keys() == {"pk", "sk", "id", "name", "price"}
        assert written["pk"] == ENTITY["pk"]

    @pytest.mark.parametrize(
        ("operation", "work", "expression"),
        [
            ("update_item", lambda t: t.update(Product, "p1", set={"price": 1}), "attribute_exists(pk)"),
            ("delete_item", lambda t: t.delete(Product, "p1"), None),
            ("put_item", lambda t: t.create(Product("p1")), "attribute_not_exists(pk)"),
        ],
    )
    def test_conditions_ask_for_no_type(self, operation, work, expression):
        table, stub, _ = stubbed(Product, layout=UNTYPED)
        requests: list[Any] = []
        client = table._service.aws.client("dynamodb")
        client.meta.events.register("provide-client-params.dynamodb.*", lambda params, **_: requests.append(params))
        stub.add_response(operation, {"Attributes": ENTITY} if operation != "put_item" else {})
        work(table)
        [request] = requests
        assert "_type" not in request.get("ExpressionAttributeNames", {}).values()
        assert (
            condition(request, "ConditionExpression") if expression else request.get("ConditionExpression")
        ) == expression

    def test_a_write_that_finds_nothing_or_something_says_so(self):
        table, stub, _ = stubbed(Product, layout=UNTYPED)
        stub.add_client_error("update_item", "ConditionalCheckFailedException", "no", 400)
        with pytest.raises(ItemNotFound):
            table.update(Product, "p1", set={"price": 1})
        stub.add_client_error("put_item", "ConditionalCheckFailedException", "no", 400, modeled_fields={"Item": ENTITY})
        with pytest.raises(AlreadyExists) as caught:
            table.create(Product("p 2#x"))
        assert caught.value.item == Product("p 2#x", None, 5)

    def test_classes_are_told_apart_by_their_keys(self):
        table, stub, _ = stubbed(layout=UNTYPED)
        schema = table.schema
        items = [
            schema.item(schema.models[0], User("u1"), ""),
            schema.item(schema.models[1], Order("u1", date(2025, 1, 1), 1), ""),
        ]
        assert "_type" not in items[0]
        stub.add_response("query", {"Items": items})
        assert [type(one) for one in table.query((User, Order), {"id": "u1", "user": "u1"})] == [User, Order]
        stub.add_response("query", {"Items": items})
        assert [type(one) for one in table.query(Order, "u1")] == [Order]
        plain = {"pk": "user#u1", "sk": "profile", "id": "u1"}
        assert table.load(plain) == User("u1")

    def test_classes_whose_keys_begin_alike_are_refused(self):
        @item(pk="user#{id}", sk="order#{number}#line")
        @dataclass
        class Line:
            id: str
            number: int

        with pytest.raises(ConfigurationError, match=r"Layout\(type=None\) cannot tell Order and Line apart"):
            Table("app", [User, Order, Line], layout=UNTYPED)
        Table("app", [User, Order, Line])

    def test_a_scan_and_an_index_look_at_the_beginning_of_keys(self):
        table = Table("app", [User, Order], layout=UNTYPED)
        assert condition(table.scan(Order)._request, "FilterExpression") == (
            "(begins_with(pk, user#) AND begins_with(sk, order#))"
        )
        index = table.query(User, "a@x", index="by_email")
        assert condition(index._request, "FilterExpression").startswith(
            "((begins_with(pk, user#) AND begins_with(sk, profile)) AND "
        )

    def test_counting_reads_what_only_keys_tell(self):
        table, stub, _ = stubbed(layout=UNTYPED)
        schema = table.schema
        user = schema.item(schema.models[0], User("u1"), "")
        order = schema.item(schema.models[1], Order("u1", date(2025, 1, 1), 1), "")
        stub.add_response("query", {"Items": [user, order]})
        assert table.query(Order, "u1").count() == 1

    def test_tenants_are_kept_apart_all_the_same(self):
        table, stub, _ = stubbed(Product, layout=UNTYPED, tenant_prefix=True)
        token = set_session(Session(tenant="acme"))
        try:
            assert table.key(Product, "p#1")["pk"] == "tenant#acme#product#p#1"
            stub.add_response("get_item", {"Item": ENTITY})
            with pytest.raises(UnreadableItem, match="not of the session's tenant"):
                table.get(Product, "p 2#x")
        finally:
            reset_session(token)


class TestNeverSilentlyEmpty:
    """What another program has stored where a query looks is told, not left out."""

    @pytest.mark.parametrize(
        ("operation", "work"),
        [
            ("query", lambda t: t.query(Order, "u1").all()),
            ("query", lambda t: t.query(Order, "u1").first()),
            ("query", lambda t: list(t.query(Order, "u1"))),
            ("query", lambda t: t.query(Order, "u1").page(20)),
            ("query", lambda t: t.query(Order, "u1", only=["user"]).all()),
            ("query", lambda t: t.query((User, Order), {"id": "u1", "user": "u1"}).all()),
            ("query", lambda t: asyncio.run(t.query(Order, "u1").all_async())),
            ("scan", lambda t: t.scan(Order).all()),
        ],
    )
    @pytest.mark.parametrize("kind", [None, "Bill"])
    def test_an_item_without_type_or_of_an_unknown_one(self, operation, work, kind):
        table, stub, _ = stubbed()
        stub.add_response(operation, {"Items": [{**FOREIGN, **({"_type": {"S": kind}} if kind else {})}]})
        told = "another program wrote it" if kind is None else "_type='Bill', not "
        with pytest.raises(UnreadableItem, match=told):
            work(table)

    def test_counting_them_gives_no_zero(self):
        table, stub, _ = stubbed()
        stub.add_response("query", {"Count": 0, "ScannedCount": 1})
        stub.add_response("query", {"Items": [FOREIGN]})
        with pytest.raises(UnreadableItem, match="another program wrote it"):
            table.query(Order, "u1").count()
        stub.add_response("query", {"Count": 0, "ScannedCount": 0})
        assert table.query(Order, "u1").count() == 0

    def test_an_index_tells_them_wherever_their_own_keys_are(self):
        table, stub, _ = stubbed()
        stub.add_response("query", {"Items": [{"pk": {"S": "USER#1"}, "sk": {"S": "x"}, "email": {"S": "a@x"}}]})
        with pytest.raises(UnreadableItem, match="another program wrote it"):
            table.query(User, "a@x", index="by_email").all()

    def test_what_is_clearly_something_else_is_left_out(self):
        table, stub, _ = stubbed()
        line = {"pk": {"S": "user#u1"}, "sk": {"S": "order#2025-01-01#0001#line#1"}, "_type": {"S": "Line"}}
        stub.add_response("query", {"Items": [line]})
        assert table.query(Order, "u1").all() == []
        counter = {"pk": {"S": "counter"}, "sk": {"S": "counter"}}
        stub.add_response("scan", {"Items": [counter]})
        assert table.scan(Order).all() == []

    def test_without_types_a_key_of_no_class_is_told(self):
        table, stub, _ = stubbed(Product, layout=UNTYPED)
        stub.add_response("query", {"Items": [{**ENTITY, "sk": {"S": "meta"}}]})
        with pytest.raises(UnreadableItem, match="under a key that no class of this table has, not Product"):
            table.query(Product, index="gsi1").all()

    def test_other_classes_of_the_table_are_left_out_by_dynamodb(self):
        request = Table("app", [User, Order]).query(Order, "u1")._request
        assert condition(request, "FilterExpression") == "(NOT (_type IN (User)))"
        assert "FilterExpression" not in Table("app", [Order]).query(Order, "u1")._request


class TestRawKeys:
    @pytest.mark.parametrize("value", ["p 2#x", "a%b", "#", "UPPER", "a@x.com", "\u00e9"])
    def test_values_stand_as_they_are(self, value):
        assert Table("app", [Product]).key(Product, value) == {"pk": f"product#{value}", "sk": f"product#{value}"}

    @pytest.mark.parametrize("value", ["", None, "x" * 3000, "\ud800"])
    def test_what_no_key_can_hold_is_refused(self, value):
        with pytest.raises(InvalidKeyValue):
            Table("app", [Product]).key(Product, value)

    def test_fields_may_be_parted_otherwise(self):
        @item(pk="{first}-{last}/x", raw_keys=True)
        @dataclass
        class Person:
            first: str
            last: str

        assert Table("app", [Person]).key(Person, {"first": "A", "last": "B"}) == {"pk": "A-B/x"}

    def test_ranges_at_the_end_are_ranges_of_the_key(self):
        request = Table("app", [Product]).query(Product, {"name": between("a b", "c#")}, index="gsi1")._request
        assert condition(request) == "gsi1_pk = products AND gsi1_sk BETWEEN name#a b AND name#c#"
        request = Table("app", [Product]).query(Product, {"name": begins_with("a b")}, index="gsi1")._request
        assert condition(request) == "gsi1_pk = products AND begins_with(gsi1_sk, name#a b)"

    def test_ranges_in_the_middle_compare_the_field(self):
        @item(pk="u#{user}", sk="{name}#{id}", raw_keys=True)
        @dataclass
        class Entry:
            user: str
            name: str
            id: str

        request = Table("app", [Entry]).query(Entry, {"user": "u1", "name": between("a", "c")})._request
        assert condition(request) == "pk = u#u1"
        assert condition(request, "FilterExpression") == "((name >= a) AND (name <= c))"
        request = Table("app", [Entry]).query(Entry, {"user": "u1", "name": gt("a")})._request
        assert condition(request, "FilterExpression") == "(name > a)"

    def test_the_key_may_be_a_field_itself(self):
        @item(pk="{order_id}", raw_keys=True, indexes={"by_mail": Index(pk="{email}", pk_attribute="email")})
        @dataclass
        class Plain:
            order_id: str
            email: str | None = None
            total: int = 0

        table, stub, _ = stubbed(Plain, layout=Layout(pk="order_id", type=None, omit_none=True))
        model = table.schema.models[0]
        assert table.schema.item(model, Plain("o1"), "") == {"order_id": {"S": "o1"}, "total": {"N": "0"}}
        assert table.schema.item(model, Plain("o1", "a@x"), "")["email"] == {"S": "a@x"}
        stored = table.schema.item(model, Plain("o1", "b@x", 1), "")
        requests: list[Any] = []
        client = table._service.aws.client("dynamodb")
        client.meta.events.register("provide-client-params.dynamodb.*", lambda params, **_: requests.append(params))
        stub.add_response("update_item", {"Attributes": stored})
        assert table.update(Plain, "o1", set={"email": "b@x"}, default={"total": 1}, upsert=True).email == "b@x"
        names = list(requests[0]["ExpressionAttributeNames"].values())
        assert names.count("email") == 1
        assert "order_id" not in condition(requests[0], "UpdateExpression")
        with pytest.raises(ConfigurationError, match="has the name of an attribute"):
            Table("app", [Plain], layout=Layout(pk="order_id"), tenant_prefix=True)


class TestComputedParts:
    table = Table("app", [Visit])
    at = datetime.fromisoformat("2025-01-31T12:00:00+00:00")

    def test_keys_are_made_of_fields(self):
        expected = {"pk": "user#u1", "sk": "visit#20250131#v1"}
        visit = Visit("u1", "v1", self.at, "Ann@X.com")
        assert self.table.key(Visit, visit) == expected
        assert self.table.key(Visit, {"user": "u1", "at": self.at, "id": "v1"}) == expected
        assert self.table.key(Visit, {"user": "u1", "day": "20250131", "id": "v1"}) == expected
        stored = self.table.schema.item(self.table.schema.models[0], visit, "")
        assert stored["by_mail_pk"] == {"S": "mail#ann@x.com"}
        assert "day" not in stored

    def test_a_function_may_return_an_empty_text_where_others_keep_the_item_in_an_index(self):
        stored = self.table.schema.item(self.table.schema.models[0], Visit("u1", "v1", self.at), "")
        assert stored["by_mail_pk"] == {"S": "mail#"}

    def test_a_function_that_returns_none_leaves_the_item_out_of_an_index(self):
        @item(
            pk="i#{id}",
            parts={"open": lambda state: "x" if state == "open" else None},
            indexes={"open": Index(pk="open#{open}")},
        )
        @dataclass
        class Ticket:
            id: str
            state: str = "open"

        schema = Table("app", [Ticket]).schema
        assert ["open_pk" in schema.item(schema.models[0], Ticket("1", state), "") for state in ("open", "closed")] == [
            True,
            False,
        ]

    @pytest.mark.parametrize(
        ("key", "expected"),
        [
            ("u1", "begins_with(sk, visit#)"),
            ({"user": "u1", "day": "20250131"}, "begins_with(sk, visit#20250131#)"),
            ({"user": "u1", "at": at}, "begins_with(sk, visit#20250131#)"),
            ({"user": "u1", "day": between("20250101", "20250131")}, "sk BETWEEN visit#20250101 AND visit#20250131$"),
            ({"user": "u1", "day": begins_with("202501")}, "begins_with(sk, visit#202501)"),
        ],
    )
    def test_queries_take_the_field_or_the_part(self, key, expected):
        request = self.table.query(Visit, key)._request
        assert condition(request).split(" AND ", 1)[1].replace("visit#20250131#$", "visit#20250131$") == expected

    def test_a_query_of_an_index_by_the_field(self):
        assert (
            condition(self.table.query(Visit, "Ann@X.com", index="by_mail")._request) == "by_mail_pk = mail#ann@x.com"
        )

    def test_a_range_of_the_field_is_refused_with_the_mend(self):
        with pytest.raises(InvalidKey, match="day is computed; give it, a range of it, or all of at"):
            self.table.query(Visit, {"user": "u1", "at": gt(self.at)})

    def test_a_bound_that_only_a_filter_could_leave_out_is_refused(self):
        @item(pk="u#{user}", sk="{day}", parts={"day": lambda at: f"{at:%Y%m%d}"})
        @dataclass
        class Day:
            user: str
            at: date

        with pytest.raises(InvalidKey, match="day is computed; here it takes begins_with, gt, gte, lte or between"):
            Table("app", [Day]).query(Day, {"user": "u1", "day": lt("20250101")})

    def test_an_update_changes_the_index_along(self):
        table, stub, _ = stubbed(Visit)
        requests: list[Any] = []
        client = table._service.aws.client("dynamodb")
        client.meta.events.register("provide-client-params.dynamodb.*", lambda params, **_: requests.append(params))
        visit = Visit("u1", "v1", self.at, "Bob@X.com")
        stub.add_response("update_item", {"Attributes": table.schema.item(table.schema.models[0], visit, "")})
        table.update(Visit, {"user": "u1", "at": self.at, "id": "v1"}, set={"email": "Bob@X.com"})
        assert "by_mail_pk = mail#bob@x.com" in condition(requests[0], "UpdateExpression")
        with pytest.raises(InvalidRequest, match=r"Visit\.at is in the key"):
            table.update(visit, set={"at": self.at + timedelta(days=1)})
        with pytest.raises(InvalidRequest, match=r"Visit\.at is missing in a new item"):
            table.update(Visit, {"user": "u1", "day": "20250131", "id": "v1"}, set={"email": "x"}, upsert=True)

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"parts": {"day": lambda at: at}}, r"no key has \{day\}"),
            ({"sk": "{id}", "parts": {"id": lambda at: at}}, "id is a field"),
            ({"sk": "{day}", "parts": {"day": lambda when: when}}, "has no field when"),
            ({"sk": "{day}", "parts": {"day": lambda: "x"}}, "name the fields as arguments"),
            ({"sk": "{day}", "parts": {"day": lambda *at: at}}, "name the fields as arguments"),
            ({"sk": "{day}", "parts": {"day": 7}}, "give a function of fields"),
        ],
    )
    def test_parts_that_cannot_be_computed_are_refused(self, options, told):
        with pytest.raises(ConfigurationError, match=told):

            @item(pk="u#{id}", **options)
            @dataclass
            class Wrong:
                id: str
                at: date


class TestNoneLeftOut:
    @item(pk="p#{id}", indexes={"by_name": Index(pk="name#{name}")})
    @dataclass
    class Person:
        id: str
        name: str | None = None
        nick: str | None = "none"
        tags: list[str] | None = field(default_factory=list)
        email: str | None = field(default=None)

    @item(pk="m#{id}")
    class Member(BaseModel):
        id: str
        name: str | None
        nick: str | None = "none"

    layout = Layout(omit_none=True)

    def stored(self, instance):
        table = Table("app", [type(instance)], layout=self.layout)
        return table, table.schema.item(table.schema.models[0], instance, "")

    @pytest.mark.parametrize("instance", [Person("1"), Member(id="1", name=None)])
    def test_what_is_none_is_not_stored_and_read_as_none(self, instance):
        table, stored = self.stored(instance)
        assert "name" not in stored
        assert {"NULL": True} not in stored.values()
        assert table.schema.read(stored, "") == instance

    @pytest.mark.parametrize(
        "instance", [Person("1", nick=None), Person("1", tags=None), Member(id="1", name="x", nick=None)]
    )
    def test_none_that_would_be_read_as_the_default_is_refused(self, instance):
        with pytest.raises(InvalidValue, match="None is not stored, and would be read as the default"):
            self.stored(instance)

    def test_an_update_to_none_removes_the_field(self):
        table, stub, _ = stubbed(self.Person, layout=self.layout)
        requests: list[Any] = []
        client = table._service.aws.client("dynamodb")
        client.meta.events.register("provide-client-params.dynamodb.*", lambda params, **_: requests.append(params))
        stored = self.stored(self.Person("1"))[1]
        stub.add_response("update_item", {"Attributes": stored})
        table.update(self.Person, "1", set={"name": None, "nick": "x"}, default={"email": None})
        text = condition(requests[0], "UpdateExpression")
        assert "NULL" not in str(requests[0]["ExpressionAttributeValues"])
        assert "REMOVE" in text
        assert "if_not_exists" not in text
        with pytest.raises(InvalidValue, match="would be read as the default"):
            table.update(self.Person, "1", set={"nick": None})

    def test_a_condition_on_what_was_read_as_none_holds_where_it_is_not_stored(self):
        @item(pk="q#{id}", indexes={"both": Index(pk="{a}", sk="{b}")})
        @dataclass
        class Both:
            id: str
            a: str | None = None
            b: str | None = None

        table, stub, _ = stubbed(Both, layout=self.layout)
        requests: list[Any] = []
        client = table._service.aws.client("dynamodb")
        client.meta.events.register("provide-client-params.dynamodb.*", lambda params, **_: requests.append(params))
        stub.add_client_error("update_item", "ConditionalCheckFailedException", "no", 400)
        with pytest.raises(ConditionFailed):
            table.update(Both("1"), set={"a": "x"})
        assert "attribute_not_exists(b)" in condition(requests[0], "ConditionExpression")

    def test_by_default_none_is_stored(self):
        schema = Table("app", [self.Person]).schema
        assert schema.item(schema.models[0], self.Person("1"), "")["name"] == {"NULL": True}
