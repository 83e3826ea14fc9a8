"""A table of another program, as boto3-assist keeps one: read, written, and still read by that program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.dynamodb import AlreadyExists, Create, Index, Layout, Table, UnreadableItem, Update, between, item
from tests.integration.adapters.places import aws_of
from tests.servers.ministack import MiniStack

numbers = count()


@item(
    pk="product#{id}",
    sk="product#{id}",
    raw_keys=True,
    parts={"label": lambda name: (name or "").lower()},
    indexes={"gsi1": Index(pk="products#", sk="name#{label}", pk_attribute="gsi1_pk", sk_attribute="gsi1_sk")},
)
@dataclass
class Product:
    id: str
    name: str | None = None
    price: int = 0


@pytest.fixture
def aws(ministack: MiniStack) -> Iterator[Aws]:
    aws = aws_of(ministack)
    yield aws
    aws.close()


@pytest.fixture
def table(aws: Aws) -> Table:
    table = Table(f"foreign-{next(numbers)}", [Product], aws=aws, layout=Layout(type=None, omit_none=True))
    table.create_table()
    return table


@pytest.fixture
def theirs(aws: Aws, table: Table) -> Any:
    """The table as boto3 offers it to the other program, with three items of its own."""
    theirs = aws.session.resource("dynamodb", endpoint_url=aws.settings.endpoint, region_name=aws.region).Table(
        table.name
    )
    for id, name in (("p 2#x", "Green Tea"), ("P%1", "Apples"), ("p3", None)):
        held = {"pk": f"product#{id}", "sk": f"product#{id}", "id": id, "price": 5}
        held |= {"gsi1_pk": "products#", "gsi1_sk": f"name#{(name or '').lower()}"}
        theirs.put_item(Item=held if name is None else {**held, "name": name})
    return theirs


def test_their_items_are_read(table: Table, theirs: Any) -> None:
    assert table.get(Product, "p 2#x") == Product("p 2#x", "Green Tea", 5)
    assert [one.id for one in table.query(Product, index="gsi1")] == ["p3", "P%1", "p 2#x"]
    assert [one.id for one in table.query(Product, {"label": between("a", "b")}, index="gsi1")] == ["P%1"]
    assert table.query(Product, index="gsi1").count() == len(table.scan(Product).all()) == 3
    page = table.query(Product, index="gsi1").page(2)
    assert [one.id for one in table.query(Product, index="gsi1").page(2, page.next).items] == ["p 2#x"]
    assert table.batch_get([(Product, "p3"), (Product, "none")]) == [Product("p3", None, 5), None]


def test_their_items_are_changed_where_they_are(table: Table, theirs: Any) -> None:
    with pytest.raises(AlreadyExists):
        table.create(Product("p 2#x"))
    changed = table.update(Product, "p 2#x", set={"name": "Mint"}, add={"price": 1})
    assert changed == Product("p 2#x", "Mint", 6)
    assert theirs.get_item(Key={"pk": "product#p 2#x", "sk": "product#p 2#x"})["Item"]["gsi1_sk"] == "name#mint"
    table.update(Product, "p 2#x", set={"name": None})
    held = theirs.get_item(Key={"pk": "product#p 2#x", "sk": "product#p 2#x"})["Item"]
    assert (held["gsi1_sk"], "name" in held) == ("name#", False)
    assert table.delete(Product, "p3")
    assert len(theirs.scan()["Items"]) == 2


def test_they_read_what_was_written_here_and_it_comes_back(table: Table, theirs: Any) -> None:
    table.put(Product("n 1", "Salt", 2))
    table.transact_write(Create(Product("n2")), Update(Product, "n 1", set={"price": 3}))
    held = theirs.get_item(Key={"pk": "product#n 1", "sk": "product#n 1"})["Item"]
    assert held == {
        "pk": "product#n 1",
        "sk": "product#n 1",
        "gsi1_pk": "products#",
        "gsi1_sk": "name#salt",
        "id": "n 1",
        "name": "Salt",
        "price": 3,
    }
    theirs.put_item(Item={**held, "price": 9})  # loads, changes, saves
    assert table.get(Product, "n 1") == Product("n 1", "Salt", 9)
    assert "name" not in theirs.get_item(Key={"pk": "product#n2", "sk": "product#n2"})["Item"]


def test_with_types_they_are_told_and_not_left_out(table: Table, theirs: Any, aws: Aws) -> None:
    typed = Table(table.name, [Product], aws=aws)
    for work in (
        lambda: typed.get(Product, "p3"),
        lambda: typed.query(Product, "p3").all(),
        lambda: typed.query(Product, "p3").count(),
        lambda: typed.query(Product, index="gsi1").first(),
        lambda: typed.query(Product, index="gsi1").count(),
        lambda: typed.scan(Product).all(),
    ):
        with pytest.raises(UnreadableItem, match=r"_type=None, not Product; another program wrote it"):
            work()
