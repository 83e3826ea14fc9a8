# pyright: strict
"""Arguments as type checkers see them: mypy reads this file in `make lint`, pyright in test_typed_arguments.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, assert_type

import router
from router import Body, Cookie, Depends, Header, Path, Query, Resolver, Session

resolver = Resolver()


@dataclass
class Filters:
    limit: Annotated[int, Query(ge=1)] = 20
    sort: str = "id"


@dataclass
class Order:
    id: int


def connect() -> dict[str, str]:
    return {}


@resolver.get("/brackets/{order_id}")
def brackets(
    order_id: Path[int],
    limit: Query[int],
    filters: Query[Filters],
    tag: Query[list[str]],
    trace: Header[str | None] = None,
    theme: Cookie[str] = "light",
    size: Query[int] | None = None,
) -> None:
    assert_type(order_id, int)
    assert_type(limit, int)
    assert_type(filters, Filters)
    assert_type(tag, list[str])
    assert_type(trace, str | None)
    assert_type(theme, str)
    assert_type(size, int | None)


@resolver.post("/annotated/{order_id}")
def annotated(
    order_id: Annotated[int, Path(ge=1)],
    order: Annotated[Order, Body(description="what to buy")],
    key: Annotated[str, Header(alias="X-Api-Key", min_length=10)],
    sid: Annotated[str, Cookie()],
    db: Annotated[dict[str, str], Depends(connect)],
    size: Annotated[int, Query(alias="page-size", ge=1, le=100)] = 20,
) -> None:
    assert_type(order_id, int)
    assert_type(order, Order)
    assert_type(key, str)
    assert_type(sid, str)
    assert_type(db, dict[str, str])
    assert_type(size, int)


@resolver.get("/defaults")
def defaults(
    limit: int = Query(20, ge=1),
    key: str | None = Header(None, alias="X-Api-Key"),
    sid: str = Cookie(),
    name: str = Query(..., pattern="^[a-z]+$"),
) -> None:
    assert_type(limit, int)
    assert_type(key, str | None)
    assert_type(sid, str)
    assert_type(name, str)


@resolver.get("/bare/{order_id}")
async def bare(order_id: str, session: Session | None, limit: int = 20, order: router.Query[int] = 1) -> dict[str, Any]:
    assert_type(session, Session | None)
    assert_type(limit, int)
    assert_type(order, int)
    return {"id": order_id}


def checked() -> None:
    """An int is an int: what does not fit it is an error."""
    brackets(1, 2, Filters(), ["a"], size=None)
    brackets("1", 2, Filters(), ["a"])  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    annotated(1, 2, "k", "s", {})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
