"""A table that boto3-assist 0.66 keeps: its own items are read, changed, and read back by it, with nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from adapters.dynamodb import AlreadyExists, Index, Layout, Table, between, item
from tests.integration.adapters.places import aws_of
from tests.servers.artefacts import BOTO3_ASSIST
from tests.servers.aws import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from tests.servers.locations import SERVERS
from tests.servers.ministack import MiniStack
from tests.servers.requirements import require_artefact

numbers = count()
MADE = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)


def lower(id: str) -> str:
    return id.lower()


@item(
    pk="product#{key}",
    sk="product#{key}",
    raw_keys=True,
    parts={"key": lower, "label": lambda name: (name or "").lower()},
    indexes={"gsi1": Index(pk="products", sk="name#{label}", pk_attribute="gsi1_pk", sk_attribute="gsi1_sk")},
)
@dataclass
class Product:
    id: str
    name: str | None = None
    price: int = 0
    weight: float = 0.0
    tags: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    made: datetime | None = None


class Theirs:
    """The other program, a process for each command."""

    def __init__(self, server: MiniStack, table: Table) -> None:
        require_artefact(BOTO3_ASSIST)
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY, "AWS_REGION": REGION}
        place = {"ENDPOINT": server.url, "TABLE": table.name, "NO_PROXY": "*", "PATH": os.environ["PATH"]}
        self.environment = {**keys, **place, "AWS_DEFAULT_REGION": REGION}

    def __call__(self, command: str, **given: Any) -> Any:
        done = subprocess.run(
            [BOTO3_ASSIST.folder / "bin" / "python", SERVERS / "python" / "their_items.py", command],
            input=json.dumps(given),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])["result"]


@pytest.fixture
def table(ministack: MiniStack) -> Iterator[Table]:
    aws = aws_of(ministack)
    table = Table(f"assisted-{next(numbers)}", [Product], aws=aws, layout=Layout(type=None, omit_none=True))
    table.create_table()
    yield table
    aws.close()


@pytest.fixture
def theirs(ministack: MiniStack, table: Table) -> Theirs:
    theirs = Theirs(ministack, table)
    full = {"weight": 1.5, "tags": ["a"], "extra": {"deep": [1, 2.5, None]}, "made": MADE.isoformat()}
    theirs(
        "save",
        items=[
            {"id": "P 2#x", "name": "Green Tea", "price": 5, **full},
            {"id": "p1", "name": "Apples"},
            {"id": "p3"},
        ],
    )
    return theirs


def test_their_items_are_read_and_no_query_is_empty(table: Table, theirs: Theirs) -> None:
    tea = table.get(Product, "P 2#x")
    assert tea is not None
    assert (tea.name, tea.price, tea.weight, tea.tags, tea.made) == ("Green Tea", 5, 1.5, ["a"], MADE)
    assert tea.extra["deep"][0] == 1
    assert [one.id for one in table.query(Product, index="gsi1")] == ["p3", "p1", "P 2#x"]
    assert theirs("named") == ["P 2#x", "p1", "p3"]  # it reads an index from its end
    assert [one.id for one in table.query(Product, {"label": between("a", "b")}, index="gsi1")] == ["p1"]
    assert {one.id for one in table.scan(Product)} == {"p1", "p3", "P 2#x"}
    assert table.query(Product, "p1").count() == 1
    with pytest.raises(AlreadyExists):
        table.create(Product("p 2#X"))  # the same key to them


def test_what_is_changed_here_is_read_back_there_with_nothing_lost(table: Table, theirs: Theirs) -> None:
    before = theirs("get", id="P 2#x")
    table.update(Product, "P 2#x", set={"name": "Mint"}, add={"price": 1})
    assert theirs("get", id="P 2#x") == {**before, "name": "Mint", "price": 6}
    assert theirs("named") == ["P 2#x", "p1", "p3"]
    tea = table.get(Product, "P 2#x")
    assert tea is not None
    table.put(tea)
    kept = theirs("get", id="P 2#x")
    assert datetime.fromisoformat(kept.pop("made")) == datetime.fromisoformat(before.pop("made")) == MADE
    assert kept == {**before, "name": "Mint", "price": 6}


def test_what_was_made_here_is_theirs_to_change_and_comes_back(table: Table, theirs: Theirs) -> None:
    table.create(Product("N 1", "Salt", 2, made=MADE))
    table.create(Product("n2"))
    assert theirs("get", id="n2")["name"] is None  # and no text that says None
    assert set(theirs("named")) == {"p3", "p1", "P 2#x", "N 1", "n2"}
    theirs("change", id="N 1", changes={"price": 9})
    theirs("change", id="n2", changes={"price": 1})
    salt, other = table.get(Product, "N 1"), table.get(Product, "n2")
    assert salt == Product("N 1", "Salt", 9, made=MADE)
    assert other == Product("n2", None, 1)
    assert [one.id for one in table.query(Product, index="gsi1")] == theirs("named")[::-1]
