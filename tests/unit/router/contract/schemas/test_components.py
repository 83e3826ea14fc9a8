"""Components: their names, their two forms, and what has none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from socket import socket
from types import ModuleType
from typing import Annotated, Any, Generic, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from router import ConfigurationError, Query, Resolver
from router.contract.interface import Info, describe
from router.contract.interface.model import NOTHING
from router.contract.openapi import openapi
from router.contract.schemas import Schemas
from router.encode import dumps
from tests.unit.router.contract.schemas import models as m

ROOT = Path(__file__).resolve().parents[5]
WHERE = "POST /orders (shop/app.py:12), the body"


def names(*annotations: Any, output: bool = False) -> list[str]:
    """Return the names of the components of annotations."""
    schemas = Schemas()
    for one in annotations:
        schemas.of(one, WHERE, output=output)
    return list(schemas.components())


def body(annotation: Any, *, output: bool = False) -> dict[str, Any]:
    """Return the component that an annotation refers to."""
    schemas = Schemas(prefix="")
    name = schemas.of(annotation, WHERE, output=output)["$ref"]
    return schemas.components()[name]


def of(annotation: Any, *, output: bool = False) -> dict[str, Any]:
    return Schemas().of(annotation, WHERE, output=output)


# ---- names ------------------------------------------------------------------------------------------------------


def test_classes_are_components_of_their_names_and_are_sorted() -> None:
    assert names(m.Page[m.Order], m.Cat | None) == ["Cat", "Color", "Line", "Order", "Page_Order"]
    assert names(m.Page[list[int] | None], m.Box[int], m.Code) == ["Box_int", "Code", "Page_list_int_or_None"]


def test_what_answers_hold_otherwise_has_a_name_of_its_own() -> None:
    schemas = Schemas()
    assert schemas.of(m.Order, WHERE, output=True) == {"$ref": "#/components/schemas/OrderOutput"}
    assert schemas.of(m.Cat, WHERE, output=True) == {"$ref": "#/components/schemas/Cat"}
    assert list(schemas.components()) == [
        "Cat",
        "Color",
        "LineOutput",
        "OrderOutput",
    ]  # and no form that nobody asked for
    assert schemas.of(m.Order, WHERE) == {"$ref": "#/components/schemas/Order"}
    assert schemas.components()["Order"]["required"] == ["id", "lines", "ordered"]
    assert schemas.components()["OrderOutput"]["required"] == ["id", "lines", "ordered", "color", "parent", "tags"]


def test_a_class_differs_when_what_it_holds_does() -> None:
    assert names(m.Page[m.Cat], output=True) == ["Cat", "Page_CatOutput"]
    holder = make_dataclass("Holder", [("line", m.Line)])
    assert names(holder, output=True) == ["HolderOutput", "LineOutput"]
    assert names(make_dataclass("Holder", [("cat", m.Cat)]), output=True) == ["Cat", "Holder"]


def test_two_classes_of_one_name_are_two_components() -> None:
    first = make_dataclass("Order", [("id", int)], namespace={"__module__": "shop.sales"})
    second = make_dataclass("Order", [("id", str)], namespace={"__module__": "shop.billing"})
    third = make_dataclass("Order", [("id", bool)], namespace={"__module__": "shop.billing"})
    for one in (first, second, third):
        one.__module__ = "shop.sales" if one is first else "shop.billing"
    assert names(first, second, third, second) == ["Order", "shop_billing_Order", "shop_billing_Order_2"]


def test_names_do_not_depend_on_what_is_asked_for_first() -> None:
    first = make_dataclass("Order", [("id", int)])
    second = make_dataclass("Order", [("id", str), ("note", str, "")])
    first.__module__, second.__module__ = "shop.sales", "shop.billing"
    made = []
    for order in ([first, second], [second, first]):
        resolver = Resolver()
        for one in order:
            name = one.__module__.partition(".")[2]
            resolver.post(f"/{name}", name=name, responses={201: one})(taking(one))
        made.append(openapi(describe(resolver, Info("Shop"))))
    assert made[0] == made[1]
    names = {"shop_billing_Order", "shop_billing_OrderOutput", "shop_sales_Order"}
    assert {name for name in made[0]["components"]["schemas"] if "Order" in name} == names


def taking(kind: type) -> Callable[..., None]:
    def handle(order: Any) -> None: ...

    handle.__annotations__["order"] = kind
    return handle


def test_what_pydantic_writes_otherwise_is_a_component_of_its_own() -> None:
    schemas = Schemas()
    schemas.of(m.Line, WHERE, output=True)
    schemas.of(m.Receipt, WHERE, output=True)
    found = schemas.components()
    assert found["LineOutput"]["properties"]["price"] == {"type": "number", "format": "decimal"}
    (other,) = [one for name, one in found.items() if name.endswith("models_LineOutput")]
    assert other["properties"]["price"]["type"] == "string"  # as pydantic writes decimals


def test_what_pydantic_writes_the_same_is_the_same_component() -> None:
    assert names(m.Cat, m.Owner, m.Dog) == names(m.Owner, m.Cat) == ["Cat", "Dog", "Owner"]


def test_names_are_letters_digits_and_underscores() -> None:
    assert names(make_dataclass("Größe", [("x", int)])) == ["Gr_uf6_udfe"]
    assert names(m.Page[Literal["a b", 1]]) == ["Page_a_b_1"]


# ---- forms ------------------------------------------------------------------------------------------------------


def test_nothing_allows_everything() -> None:
    assert of(NOTHING) == of(Any) == of(object) == {}


def test_raw_bytes_are_no_text() -> None:
    assert of(bytes) == {"type": "string", "contentMediaType": "application/octet-stream"}
    assert of(list[bytes], output=True) == {"type": "array", "items": {"type": "string", "contentEncoding": "base64"}}


def test_docstrings_are_descriptions_unless_they_are_made() -> None:
    assert body(m.Order)["description"] == "An order.\n\nIts lines are never empty."
    assert "description" not in body(m.Line)
    assert "description" not in body(m.Point, output=True)
    assert body(m.Color) == {"type": "string", "enum": ["red", "blue"], "description": "What it looks like."}
    assert body(m.Size) == {"type": "integer", "enum": [1, 2], "x-enum-varnames": ["SMALL", "LARGE"]}


def test_words_of_a_field_are_beside_its_type() -> None:
    assert body(m.Line)["properties"]["number"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 99,
        "description": "How many of them.",
        "examples": [2],
        "default": 1,
    }
    assert body(m.Order)["properties"]["lines"]["minItems"] == 1
    # Those of a whole parameter are for the parameter.
    assert of(Annotated[int, Query(ge=1, description="how many", examples=[1])]) == {"type": "integer", "minimum": 1}


def test_an_answer_holds_what_the_encoder_writes() -> None:
    assert list(body(m.Counted)["properties"]) == ["seed", "_hidden"]
    assert list(body(m.Counted, output=True)["properties"]) == ["total"]
    assert body(m.Point, output=True)["minItems"] == 3
    assert [one["type"] for one in body(m.Point)["anyOf"]] == ["object", "array"]


@dataclass
class Stamped:
    id: int
    version: int = field(init=False, default=3)
    tags: list[str] = field(init=False, default_factory=list)


@dataclass(slots=True)
class Slotted:
    id: int
    version: int = field(init=False, default=3)


@pytest.mark.parametrize("kind", [Stamped, Slotted])
def test_a_default_that_the_class_alone_has_may_stay_out_of_an_answer(kind: Any) -> None:
    described = body(kind, output=True)
    assert described["required"] == list(json.loads(dumps(kind(1))))
    assert list(described["properties"])[:2] == ["id", "version"]


def test_names_of_a_mapping_have_the_limits_of_their_type() -> None:
    schema = Schemas().of(dict[Annotated[str, Query(min_length=2, pattern="^a")], int], WHERE)
    assert schema["propertyNames"] == {"minLength": 2, "pattern": "^a"}


def test_an_example_that_json_cannot_hold_is_left_out() -> None:
    kind = make_dataclass("Made", [("number", Annotated[int, Query(examples=[object(), 3])])])
    assert body(kind)["properties"]["number"]["examples"] == [3]


def test_defaults_are_those_that_json_can_hold_and_the_type_allows() -> None:
    properties = body(m.Times)["properties"]
    assert properties["until"]["default"] == "12:30:00"
    assert properties["since"]["default"] == "2025-03-01T00:00:00+00:00"

    @dataclass
    class Odd:
        name: str = None  # type: ignore[assignment]  # as people write it
        number: float = float("inf")
        listed: list[int] = field(default_factory=list)
        made: list[int] = field(default_factory=lambda: [1])

    found = {name: one.get("default", "none") for name, one in body(Odd)["properties"].items()}
    assert found == {"name": "none", "number": "none", "listed": [], "made": "none"}


# ---- what has no schema -----------------------------------------------------------------------------------------


@dataclass
class Held:
    socket: socket


class Plain:
    pass


class Modelled(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    socket: socket


class Outer(BaseModel):
    inner: list[Modelled]
    call: Callable[[], int] | None = None


@dataclass
class Lost:
    other: Missing  # type: ignore[name-defined]  # noqa: F821


Deep: Any = make_dataclass("Deep", [("customer", list[Held] | None)])


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (socket, ["socket has no JSON Schema", "make it a dataclass"]),
        (Plain, ["Plain has no JSON Schema"]),
        (complex, ["complex has no JSON Schema"]),
        (Callable[[int], str], ["Callable[[int], str] has no JSON Schema"]),
        (type[int], ["type[int] has no JSON Schema"]),
        (Held, ["Held.socket: socket has no JSON Schema"]),
        (list[Deep], ["Deep.customer.socket: socket has no JSON Schema"]),
        (dict[str, int | Deep], ["Deep.customer.socket: socket has no JSON Schema"]),
        (Modelled, ["Modelled.socket: socket has no JSON Schema"]),
        (Outer, ["Outer.inner.socket: socket has no JSON Schema"]),
        (make_dataclass("Order", [("customer", Outer)]), ["Order.customer.inner.socket: socket has no JSON Schema"]),
        (Lost, ["Lost: an annotation cannot be resolved", "Missing"]),
        (make_dataclass("Order", [("lost", Lost)]), ["Order.lost: Lost: an annotation cannot be resolved"]),
        (list["Missing"], ["the hint 'Missing' is not resolved"]),  # type: ignore[name-defined]  # noqa: F821
        (Literal[b"x"], ["its values must be such as JSON has"]),
    ],
)
@pytest.mark.parametrize("output", [False, True])
def test_a_type_without_a_schema_is_named_with_the_way_to_it(annotation: Any, words: list[str], output: bool) -> None:
    with pytest.raises(ConfigurationError) as caught:
        of(annotation, output=output)
    assert str(caught.value).startswith(f"{WHERE}: ")
    for one in words:
        assert one in str(caught.value)


def test_a_class_that_grows_inside_itself_is_refused() -> None:
    @dataclass
    class Grown(Generic[m.T]):
        inner: Grown[list[m.T]] | None

    with pytest.raises(ConfigurationError, match=r"shop/app\.py:12.*without end"):
        of(Grown[int])


def test_an_error_leaves_nothing_behind() -> None:
    @dataclass
    class Child:
        parent: Parent | None = None

    @dataclass
    class Parent:
        child: Child
        raw: bytes = b""

    Child.__annotations__["parent"] = Parent | None
    Parent.__annotations__ |= {"child": Child, "raw": bytes}
    schemas = Schemas()
    with pytest.raises(ConfigurationError, match=r"Parent\.raw"):
        schemas.of(Parent, WHERE)
    assert schemas.components() == {}
    assert schemas.of(Parent, WHERE, output=True) == {"$ref": "#/components/schemas/Parent"}  # no request has it
    with pytest.raises(ConfigurationError, match=r"Child\.parent\.raw"):
        schemas.of(Child, WHERE)


# ---- aliases, and interpreters of their own -----------------------------------------------------------------------

ALIASES = """
from dataclasses import dataclass
from typing import Annotated
from pydantic import BaseModel
from router import Query
type Code = Annotated[str, Query(max_length=3)]
type Tree = dict[str, Tree] | list[Tree] | int
type Pair[T] = tuple[T, T]
@dataclass
class Holder[T]:
    code: Code
    tree: Tree
    pair: Pair[T]
class Model(BaseModel):
    code: Code
    tree: Tree
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the statement `type` came with Python 3.12")
def test_aliases_are_components_and_may_hold_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("aliases")
    monkeypatch.setitem(sys.modules, "aliases", module)  # where hints are looked up
    held = vars(module)
    exec(ALIASES, held)
    schemas = Schemas(prefix="")
    assert schemas.of(held["Holder"][int], WHERE) == {"$ref": "Holder_int"}
    assert schemas.of(held["Model"], WHERE) == {"$ref": "Model"}
    found = schemas.components()
    assert list(found) == ["Code", "Holder_int", "Model", "Pair_int", "Tree"]
    assert found["Code"] == {"type": "string", "maxLength": 3}
    assert found["Tree"]["anyOf"][0] == {"type": "object", "additionalProperties": {"$ref": "Tree"}}
    assert found["Pair_int"]["prefixItems"] == [{"type": "integer"}] * 2


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_bytes_are_the_same_from_run_to_run() -> None:
    code = (
        "import json; from router.contract.schemas import Schemas; "
        "from tests.unit.router.contract.schemas import models as m; schemas = Schemas(); "
        "print(json.dumps([schemas.of(one, 'here', output=output) for output in (True, False) "
        "for one in (m.Order, m.Visit, m.Page[m.Cat | m.Dog], m.Owner)]), json.dumps(schemas.components()))"
    )
    assert len({run(code, PYTHONHASHSEED=seed) for seed in ("0", "1", "2")}) == 1


def test_classes_need_no_pydantic() -> None:
    code = (
        "import sys; sys.modules['pydantic'] = None; from dataclasses import make_dataclass; "
        "from router.contract.schemas import Schemas; from typing import Annotated; from router import Query; "
        "line = make_dataclass('Line', [('number', Annotated[int, Query(ge=1)], 1)]); schemas = Schemas(); "
        "print(schemas.of(list[line], 'here', output=True), sorted(schemas.components()))"
    )
    assert run(code).strip().endswith("['LineOutput']")
