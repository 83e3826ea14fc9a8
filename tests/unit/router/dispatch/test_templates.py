"""`{id:int}` in a path, and an argument that could never be what the path makes of it."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest

from router import Depends, Path, Resolver, Router
from router.errors import ConfigurationError
from router.testing import TestClient

ID = "3b2c7e0e-7d4b-4a4e-9d1c-2f0a7f6d1e55"
MADE: dict[str, tuple[str, type, set[Any]]] = {  # by type: a segment, what it is, and what it may become
    "int": ("7", int, {int, float, Decimal}),
    "float": ("1.5", float, {float, Decimal}),
    "uuid": (ID, UUID, {UUID}),
}
ASKED = [str, int, float, bool, Decimal, UUID, date, datetime, time]
FORMS: list[Any] = [
    lambda kind: kind,
    lambda kind: kind | None,
    lambda kind: Annotated[kind, "a note"],
    Path.__class_getitem__,
]


def register(resolver: Any, template: str, annotation: Any) -> None:
    def handler(x: Any) -> str:
        return repr(x)

    handler.__annotations__["x"] = annotation
    resolver.get(template)(handler)


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("form", FORMS)
def test_an_argument_is_what_it_says_or_refused(kind: str, asked: type, form: Any) -> None:
    segment, made, becomes = MADE[kind]
    resolver = Resolver()
    if asked in becomes:
        register(resolver, f"/{{x:{kind}}}", form(asked))
        assert TestClient(resolver).get(f"/{segment}").text == repr(asked(segment))
        return
    mend = rf"annotate it as {made.__name__}, or write \{{x\}}$"
    with pytest.raises(ConfigurationError, match=mend):
        register(resolver, f"/{{x:{kind}}}", form(asked))
    assert resolver.routes == ()


def test_what_says_nothing_takes_what_the_path_makes() -> None:
    resolver = Resolver()
    resolver.get("/a/{x:int}")(lambda x: repr(x))  # noqa: PLW0108
    register(resolver, "/b/{x:int}", Any)
    register(resolver, "/d/{y:int}/{x}", str)
    client = TestClient(resolver)
    assert [client.get(path).text for path in ("/a/7", "/b/7", "/d/1/7")] == ["7", "7", "'7'"]


def test_the_prefix_of_a_group_counts() -> None:
    group = Router("/shops/{x:int}")
    with pytest.raises(ConfigurationError, match="annotate it as int"):
        register(group, "/orders", str)
    inner = Router("/orders")
    register(inner, "/{y}", Path[str])
    outer = Router("/shops/{x:int}")
    outer.include(inner)
    with pytest.raises(ConfigurationError, match="annotate it as int"):
        Resolver().include(outer)


def shop(x: str) -> str:
    """A dependency that wants text."""
    return x


def in_shop(name: Annotated[str, Depends(shop)]) -> str:
    """A handler of it."""
    return name


def test_a_dependency_likewise() -> None:
    resolver = Resolver()
    resolver.get("/a/{x}")(in_shop)
    with pytest.raises(ConfigurationError, match="annotate it as int"):
        resolver.get("/b/{x:int}")(in_shop)
