"""Writes as requests: what is sent, what is refused before anything is sent, and what a refusal means."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import BaseModel, Field

from adapters.dynamodb import (
    AlreadyExists,
    Check,
    ConditionFailed,
    Create,
    Delete,
    Index,
    InvalidKey,
    InvalidRequest,
    ItemNotFound,
    Layout,
    Put,
    Update,
    VersionConflict,
    attr,
    item,
)
from adapters.dynamodb.schema import Schema
from tests.unit.adapters.dynamodb.samples import Order, Status, User

NOW = 1_000_000
KEY: dict[str, Any] = {"user": "u1", "placed": date(2025, 1, 1), "number": 1}


@item(pk="doc#{id}", indexes={"by_owner": Index(pk="owner#{owner}", sk="{rank:03}")})
@dataclasses.dataclass
class Doc:
    id: str
    owner: str
    rank: int


@item(pk="count#{id}", ttl="until", indexes={"by_id": Index(pk="id#{id}")})
class Counter(BaseModel):
    id: str
    hits: int = Field(default=0, ge=0)
    until: datetime | None = None


SCHEMA = Schema("app", [User, Order], layout=Layout(), clock=lambda: NOW)
SINGLE = Schema("app", [Doc, Counter], layout=Layout(), clock=lambda: NOW)


def shown(prepared, parameter):
    """An expression with names and values in place of placeholders."""
    text = prepared.parameters[parameter]
    for placeholder, name in sorted(prepared.parameters["ExpressionAttributeNames"].items(), reverse=True):
        text = text.replace(placeholder, name)
    values = prepared.parameters.get("ExpressionAttributeValues", {})
    for placeholder, value in sorted(values.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(placeholder, str(next(iter(value.values()))))
    return text


def update(*target, schema=SCHEMA, **changes):
    return Update(*target, **changes).prepare(schema, "")


class TestPut:
    def test_without_a_version_has_no_condition(self):
        prepared = Put(Order(**KEY)).prepare(SCHEMA, "")
        assert set(prepared.request) == {"TableName", "Item"}

    def test_counts_the_version_in_a_copy(self):
        user = User("u1", version=4)
        prepared = Put(user).prepare(SCHEMA, "")
        assert (user.version, prepared.result.version) == (4, 5)
        assert prepared.parameters["Item"]["version"] == {"N": "5"}
        assert shown(prepared, "ConditionExpression") == "((_type = User) AND (version = 4))"
        assert prepared.request["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"

    def test_of_what_was_never_stored_must_not_meet_another(self):
        prepared = Put(User("u1")).prepare(SCHEMA, "")
        # What has expired counts as gone, deleted or not.
        assert shown(prepared, "ConditionExpression") == f"(attribute_not_exists(pk) OR (_ttl <= {NOW}))"

    def test_of_what_was_never_stored_has_no_other_condition(self):
        with pytest.raises(InvalidRequest, match="User: of a new item, version=0, nothing else can hold"):
            Put(User("u1"), when=attr("visits") > 1).prepare(SCHEMA, "")

    def test_of_a_frozen_or_pydantic_instance_gives_a_copy_too(self):
        @item(pk="{id}", version="version")
        class Model(BaseModel):
            id: str
            version: int | None = None

        @item(pk="f#{id}", version="version")
        @dataclasses.dataclass(frozen=True, slots=True)
        class Frozen:
            id: str
            version: int = 0

        schema = Schema("app", [Model, Frozen], layout=Layout())
        assert Put(Model(id="1")).prepare(schema, "").result == Model(id="1", version=1)
        assert Put(Frozen("1")).prepare(schema, "").result == Frozen("1", 1)

    @pytest.mark.parametrize("version", [-1, 1.0, "1", True])
    def test_with_a_version_that_is_no_count_is_refused(self, version):
        with pytest.raises(InvalidRequest, match=r"User\.version: a version is a whole number"):
            Put(User("u1", version=version)).prepare(SCHEMA, "")


class TestUpdate:
    def test_sets_adds_appends_and_removes(self):
        prepared = update(
            User,
            "u1",
            set={"labels.a": 1, ("labels", "b.c"): 2},
            add={"visits": 2, "tags": {"t"}},
            append={"log": ["l"]},
            remove=["expires_at"],
        )
        assert shown(prepared, "UpdateExpression") == (
            "SET labels.a = 1, labels.b.c = 2, visits = if_not_exists(visits, 0) + 2, "
            "log = list_append(if_not_exists(log, []), [{'S': 'l'}]), version = if_not_exists(version, 0) + 1 "
            "REMOVE expires_at, _ttl ADD tags ['t']"
        )
        assert shown(prepared, "ConditionExpression") == (
            f"((_type = User) AND (attribute_not_exists(_ttl) OR (_ttl > {NOW})))"
        )
        assert "b.c" in prepared.parameters["ExpressionAttributeNames"].values()

    def test_takes_members_out_of_a_set(self):
        assert shown(update(User, "u1", discard={"tags": {"t"}}), "UpdateExpression").endswith("DELETE tags ['t']")

    def test_to_an_empty_set_removes_the_attribute(self):
        assert shown(update(User, "u1", set={"tags": set()}), "UpdateExpression").endswith("REMOVE tags")

    def test_keeps_index_keys_true(self):
        assert "by_email_pk = email#n@x" in shown(update(User, "u1", set={"email": "n@x"}), "UpdateExpression")
        assert "REMOVE by_email_pk" in shown(update(User, "u1", set={"email": None}), "UpdateExpression")

    def test_keeps_the_second_of_expiry_true(self):
        at = datetime(2025, 1, 1, tzinfo=UTC)
        assert "_ttl = 1735689600" in shown(update(User, "u1", set={"expires_at": at}), "UpdateExpression")
        assert "REMOVE _ttl" in shown(update(User, "u1", set={"expires_at": None}), "UpdateExpression")

    def test_makes_an_index_key_of_fields_of_the_key_as_well(self):
        prepared = update(Order, KEY, set={"status": Status.PAID})
        assert "by_status_pk = status#paid, by_status_sk = 2025-01-01" in shown(prepared, "UpdateExpression")

    def test_makes_an_index_key_of_what_an_instance_holds_if_that_is_still_so(self):
        prepared = update(Doc("d", "ann", 7), schema=SINGLE, set={"owner": "bob"})
        assert "by_owner_pk = owner#bob, by_owner_sk = 007" in shown(prepared, "UpdateExpression")
        assert shown(prepared, "ConditionExpression") == "((_type = Doc) AND (rank = 7))"

    def test_of_an_instance_checks_its_version(self):
        prepared = update(User("u1", version=4), set={"labels": {}}, when=attr("visits") < 3)
        assert shown(prepared, "ConditionExpression").endswith("AND (version = 4) AND (visits < 3))")

    def test_that_may_make_the_item_makes_all_of_it(self):
        prepared = update(
            Counter,
            "c1",
            schema=SINGLE,
            add={"hits": 1},
            default={"until": datetime(2025, 1, 1, tzinfo=UTC)},
            upsert=True,
        )
        text = shown(prepared, "UpdateExpression")
        assert "_ttl = if_not_exists(_ttl, 1735689600)" in text
        assert text.endswith("by_id_pk = id#c1, _type = Counter, id = c1")
        assert shown(prepared, "ConditionExpression").startswith("(attribute_not_exists(pk) OR ((_type = Counter) AND")

    @pytest.mark.parametrize(
        ("target", "changes", "told"),
        [
            ((User, "u1"), {}, "User: the update changes nothing"),
            ((Order, KEY), {"add": {"note": set()}}, "Order: the update changes nothing"),
            ((User, "u1"), {"set": {"nmae": "x"}}, "User has no field 'nmae'"),
            ((User, "u1"), {"set": {"id": "u2"}}, "User.id is in the key, which cannot be changed"),
            ((User, "u1"), {"set": {"version": 3}}, "User.version counts by itself"),
            ((User, "u1"), {"add": {"expires_at": 60}}, "User.expires_at says when it expires: give its value in set="),
            ((User, "u1"), {"append": {"name": ["x"]}}, "User.name is in the key of the index by_name"),
            ((User, "u1"), {"append": {"log": "text"}}, "what is appended is given as a list"),
            ((User, "u1"), {"discard": {"tags": "text"}}, "members of a set are given as a set"),
            ((User, "u1"), {"set": {"name": object()}}, "User: a value is a object"),
            ((User("u1"), "u1"), {"set": {"labels": {}}}, "an instance, or a class and a key, not both"),
            ((User("u1"),), {"set": {"labels": {}}, "upsert": True}, "upsert=True"),
            ((Order, KEY), {"remove": "placed"}, "Order.placed is in the key"),
            ((Order, KEY), {"when": True, "remove": "note"}, "a condition is expected"),
        ],
    )
    def test_that_cannot_be_is_refused(self, target, changes, told):
        with pytest.raises(InvalidRequest, match=told):
            update(*target, **changes)

    def test_that_leaves_an_index_key_unknown_is_refused(self):
        with pytest.raises(InvalidRequest, match=r"Doc\.rank is in the key of the index by_owner, too"):
            update(Doc, "d", schema=SINGLE, set={"owner": "bob"})

    def test_that_removes_what_a_class_needs_is_refused(self):
        with pytest.raises(InvalidRequest, match=r"Doc\.owner has no default: it cannot be removed"):
            update(Doc, "d", schema=SINGLE, remove=["owner"])

    def test_that_would_make_half_an_item_is_refused(self):
        @item(pk="note#{id}")
        @dataclasses.dataclass
        class Note:
            id: str
            text: str
            size: int

        with pytest.raises(InvalidRequest, match=r"Note\.text is missing in a new item"):
            update(Note, "n", schema=Schema("app", [Note], layout=Layout()), set={"size": 1}, upsert=True)

    def test_is_validated_by_pydantic(self):
        with pytest.raises(InvalidRequest, match=r"Counter\.hits: Input should be greater than or equal to 0"):
            update(Counter, "c", schema=SINGLE, set={"hits": -1})

    def test_names_options_that_it_does_not_have(self):
        with pytest.raises(TypeError, match="sett"):
            update(User, "u1", sett={})


class TestDeleteAndCheck:
    def test_a_delete_leaves_items_of_other_classes_alone(self):
        prepared = Delete(User, "u1").prepare(SCHEMA, "")
        assert shown(prepared, "ConditionExpression") == "(attribute_not_exists(pk) OR (_type = User))"

    def test_a_delete_of_an_instance_checks_its_version(self):
        prepared = Delete(User("u1", version=2)).prepare(SCHEMA, "")
        assert shown(prepared, "ConditionExpression") == "((_type = User) AND (version = 2))"

    def test_a_check_asks_for_a_living_item(self):
        prepared = Check(User, "u1", when=attr("visits") > 1).prepare(SCHEMA, "")
        assert shown(prepared, "ConditionExpression") == (
            f"((_type = User) AND (attribute_not_exists(_ttl) OR (_ttl > {NOW})) AND (visits > 1))"
        )

    def test_keys_are_checked(self):
        with pytest.raises(InvalidKey):
            Check(User, {"nmae": "x"}).prepare(SCHEMA, "")


class TestRefusals:
    stored = SCHEMA.item(SCHEMA.model(User), User("u1", version=5), "")
    other = SCHEMA.item(SCHEMA.model(Order), Order(**KEY), "")

    @pytest.mark.parametrize(
        ("operation", "old", "error", "told"),
        [
            (Create(User("u1")), stored, AlreadyExists, "User: there is one with this key"),
            (Put(User("u1", version=4)), stored, VersionConflict, "version 4 is now 5"),
            (Put(User("u1", version=4)), None, ItemNotFound, "User: there is none with this key"),
            (Put(User("u1", version=4)), {**stored, "_ttl": {"N": "1"}}, ItemNotFound, "there is none"),
            (Put(User("u1", version=5), when=attr("visits") > 9), stored, ConditionFailed, "condition does not hold"),
            (Update(User, "u1", set={"labels": {}}), other, ConditionFailed, "under its key is something else"),
            (Update(User, "u1", set={"labels": {}}), None, ItemNotFound, "there is none"),
            (Delete(User("u1", version=1)), stored, VersionConflict, "version 1 is now 5"),
        ],
    )
    def test_say_what_is_the_matter(self, operation, old, error, told):
        failure = operation.prepare(SCHEMA, "").failure(old, "")
        assert type(failure) is error
        assert told in str(failure)
        assert "dynamodb." in str(failure)
        assert "app" in str(failure)

    def test_hold_what_is_stored_instead(self):
        failure = Create(User("u1")).prepare(SCHEMA, "").failure(self.stored, "")
        assert failure.item == User("u1", version=5)

    def test_say_what_they_can_where_the_service_does_not_tell_what_is_stored(self):
        failure = Create(User("u1")).prepare(SCHEMA, "").failure(None, "")
        assert (type(failure), failure.item) == (AlreadyExists, None)

    def test_do_not_fail_over_an_item_that_cannot_be_read(self):
        failure = Create(User("u1")).prepare(SCHEMA, "").failure({"_type": {"S": "Gone"}}, "")
        assert failure.item is None
