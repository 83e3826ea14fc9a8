"""What a stack declares in vain is told, and what belongs to others is left to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from router import Env, Event, Resolver
from router.contract import Bucket, HttpApi, Queue, Schedule, Stack, Table, Topic, WebSocketApi, merging, yaml_text
from router.contract.checking.deployed import Template
from router.contract.checking.template import check_template
from router.contract.sam import template
from router.contract.surroundings import sources_of_others
from router.environment import SQS

resolver = Resolver()
HERE = f"{__name__}:resolver"


@resolver.on_queue("mails", requires={"AUDIT": [SQS.SEND_MESSAGE]})
def mail(event: Event) -> None: ...


@resolver.on_queue(Env("JOBS"), requires={})
def job(event: Event) -> None: ...


@resolver.get("/items", requires={})
def items() -> list[str]:
    return []


@resolver.on_object("uploads", requires={})
def upload(event: Event) -> None: ...


@resolver.on_stream("items", events=["INSERT"], requires={})
def change(event: Event) -> None: ...


@resolver.on_schedule("nightly", requires={})
def nightly(event: Event) -> None: ...


@resolver.on_topic("orders", requires={})
def order(event: Event) -> None: ...


@resolver.on_message("say", requires={})
def say(event: Event) -> None: ...


DECLARED: list[Any] = [Queue(variable="JOBS"), Queue("audit", variable="AUDIT"), Table("items")]
DUE = Schedule("nightly", "rate(1 day)")


def notes(*declared: Any) -> list[str]:
    return [str(note) for note in Stack(HERE, *DECLARED, *declared, name="shop").infrastructure().notes]


def test_all_is_used() -> None:
    assert notes(DUE, Queue("mails", topics=("news",)), Topic("news")) == []
    assert notes(DUE, Queue("mails", topics=("orders",))) == []  # a route makes it


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        (Queue("mail"), "queue mail is declared, and no route takes it, nor does a requires= name its variable"),
        (Queue(variable="JOB"), "queue JOB is declared, and no route takes it"),
        (Topic("news"), "topic news is declared, and no route takes it"),
        (Schedule("daily", "rate(1 day)"), "schedule daily is declared, and no route takes it"),
        (Queue("mails", topics=("new",)), 'topic new is nowhere declared: it has to exist, or declare Topic("new")'),
    ],
)
def test_a_declaration_in_vain_is_told(declared: Any, told: str) -> None:
    [note] = notes(DUE, declared)
    assert told in note


OTHERS: list[Any] = [
    Schedule("nightly", exists=True),
    Bucket("uploads", exists=True),
    HttpApi(exists=True),
    WebSocketApi(exists=True),
]


def test_what_belongs_to_others_is_not_made_and_they_are_told(tmp_path: Path) -> None:
    declared = [*DECLARED[:2], Table("items", exists=True), *OTHERS]
    held = Stack(HERE, *declared, name="shop").infrastructure()
    made = template(held)
    kinds = {one["Type"] for one in made["Resources"].values()}

    assert len(held.notes) == 5
    assert all("belongs to somebody else" in str(note) for note in held.notes)
    assert kinds.isdisjoint({"AWS::Events::Rule", "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::ApiGatewayV2::Api"})
    called = [one["Properties"] for one in made["Resources"].values() if one["Type"] == "AWS::Lambda::Permission"]
    assert {one["Principal"] for one in called} == {"events.amazonaws.com", "s3.amazonaws.com", "sns.amazonaws.com"}

    file = tmp_path / "template.yaml"
    file.write_text(yaml_text.write(merging.marked(made)))
    found = Template(file)
    assert list(check_template(found, found.functions, resolver, (), sources_of_others(declared))) == []
