"""Filters in the template: only where they are declared, and only where nothing is lost that a route takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cfnlint.api
import pytest
from typer.testing import CliRunner

from router import ConfigurationError, Event, Resolver
from router.cli.commands import app
from router.contract import Queue, Stack, Table
from router.contract.sam import template
from tests.unit.router.contract import filtered


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    made: dict[str, Any] = template(filtered.with_filters.infrastructure())["Resources"]
    return made


def criteria(resources: dict[str, Any], name: str) -> list[Any]:
    return [json.loads(one["Pattern"]) for one in resources[name]["Properties"]["FilterCriteria"]["Filters"]]


def test_nothing_is_filtered_unless_it_is_declared() -> None:
    made = json.dumps(template(filtered.without.infrastructure()))
    assert "FilterCriteria" not in made
    assert "FilterPolicy" not in made


def test_cfn_lint_finds_nothing() -> None:
    assert [str(one) for one in cfnlint.api.lint(json.dumps(template(filtered.with_filters.infrastructure())))] == []


def test_the_check_finds_nothing_that_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template(filtered.with_filters.infrastructure())))
    result = CliRunner().invoke(app, ["check", f"{filtered.__name__}:with_filters", "--template", str(file)])
    assert result.exit_code == 0, result.output


def test_a_queue_has_the_filters_of_all_its_routes_also_of_one_for_every_queue(resources: dict[str, Any]) -> None:
    kinds = [one["body"]["kind"] for one in criteria(resources, "OrdersQueueMapping")]
    assert kinds == [["audit"], ["paid"]]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("AccountsTableMapping", {"eventName": ["INSERT"]}),
        ("ClicksStreamMapping", {"data": {"kind": ["paid"]}}),
        ("PaymentsKafkaMapping", {"value": {"kind": ["paid"]}}),
        ("RefundsKafkaMapping", {"value": {"kind": ["paid"]}}),
        (
            "ItemsTableMapping",
            {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"status": {"S": ["paid"]}}}},
        ),
    ],
)
def test_streams_have_a_filter_in_their_own_form(resources: dict[str, Any], name: str, pattern: Any) -> None:
    assert criteria(resources, name) == [pattern]


def test_a_topic_has_a_policy(resources: dict[str, Any]) -> None:
    subscription = resources["NewsTopicToMainFunction"]["Properties"]
    assert subscription["FilterPolicy"] == {"kind": ["paid"]}
    assert subscription["FilterPolicyScope"] == "MessageAttributes"


def test_what_comes_in_an_envelope_is_filtered_where_it_is_published(resources: dict[str, Any]) -> None:
    assert "FilterCriteria" not in resources["LettersQueueMapping"]["Properties"]
    subscription = resources["NewsToLettersQueue"]["Properties"]
    assert subscription["FilterPolicy"] == {"$or": [{"kind": ["audit"]}, {"kind": ["paid"]}]}
    assert subscription["FilterPolicyScope"] == "MessageBody"


def test_what_has_to_fail_is_not_filtered_and_a_note_says_so(resources: dict[str, Any]) -> None:
    assert "FilterCriteria" not in resources["StrictQueueMapping"]["Properties"]
    [note] = [str(one) for one in filtered.with_filters.infrastructure().notes if str(one).startswith("queue strict")]
    assert "sqs strict (tests/unit/router/contract/filtered.py:" in note
    assert 'say others="ignore"' in note


def test_routes_that_ask_for_both_attributes_and_body_are_not_filtered(resources: dict[str, Any]) -> None:
    assert "FilterCriteria" not in resources["RawQueueMapping"]["Properties"]
    assert "FilterPolicy" not in resources["NewsToRawQueue"]["Properties"]


raw = Resolver()


@raw.on_queue("bodies", pattern=filtered.PAID, others="ignore", topics=["news"])
def raw_body(event: Event) -> None: ...


@raw.on_queue("attributes", pattern={"attributes": {"kind": ["paid"]}}, others="ignore", topics=["news"])
def raw_attribute(event: Event) -> None: ...


def test_what_comes_without_an_envelope_is_filtered_by_mapping_and_topic() -> None:
    queues = (Queue(name, raw=True, filters=True) for name in ("bodies", "attributes"))
    made = template(Stack(f"{__name__}:raw", *queues, name="shop").infrastructure())["Resources"]
    assert criteria(made, "BodiesQueueMapping") == [{"body": {"kind": ["paid"]}}]
    assert made["NewsToBodiesQueue"]["Properties"]["FilterPolicyScope"] == "MessageBody"
    assert "FilterCriteria" not in made["AttributesQueueMapping"]["Properties"]
    assert made["NewsToAttributesQueue"]["Properties"]["FilterPolicyScope"] == "MessageAttributes"


def test_types_of_keys_are_known_and_others_are_told() -> None:
    told = [str(one) for one in filtered.declared(filters=True, types={}).infrastructure().notes]
    assert any("table items" in one and 'types={"status": "S"}' in one for one in told)
    with pytest.raises(ConfigurationError, match="takes S and BOOL"):
        Table("items", types={"tags": "SS"})


keyed = Resolver()


@keyed.on_stream("items", pattern={"keys": {"pk": [{"anything-but": "x"}]}}, others="ignore")
def keyed_item(event: Event) -> None: ...


@keyed.on_stream("typed", pattern={"keys": {"id": [{"anything-but": "x"}]}}, others="ignore")
def typed_item(event: Event) -> None: ...


def test_keys_have_the_types_of_the_layout() -> None:
    definition = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }
    tables = (Table("items", filters=True), Table("typed", definition=definition, filters=True))
    made = template(Stack(f"{__name__}:keyed", *tables, name="shop").infrastructure())["Resources"]
    assert criteria(made, "ItemsTableMapping") == [{"dynamodb": {"Keys": {"pk": {"S": [{"anything-but": ["x"]}]}}}}]
    assert criteria(made, "TypedTableMapping") == [{"dynamodb": {"Keys": {"id": {"S": [{"anything-but": ["x"]}]}}}}]


offloading = Resolver(offload=lambda pointer: b"")  # type: ignore[arg-type]


@offloading.on_queue("orders", pattern=filtered.PAID, others="ignore")
def offloaded(event: Event) -> None: ...


def test_bodies_that_may_be_elsewhere_are_not_filtered() -> None:
    made = Stack(f"{__name__}:offloading", Queue("orders", filters=True), name="shop").infrastructure()
    assert "FilterCriteria" not in json.dumps(template(made))
    assert any("a body in S3" in str(note) for note in made.notes)
