"""Tell all that keeps a document from being made at once, each fault with file and line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from router import Resolver
from router.cli.commands import app
from router.contract import Info, serve_openapi
from router.contract.asyncapi import asyncapi
from router.contract.checking.documents import unserved
from router.contract.interface import Interface, describe
from router.contract.openapi import openapi
from router.contract.tools import catalogue
from router.errors import ConfigurationError

HERE = Path(__file__).name


class Handle:
    """Has no fields, so that JSON cannot hold it."""


def first(event: Any) -> Handle:
    """Answer with what has no schema."""
    return Handle()


def second(event: Any) -> list[Handle]:
    """Answer with several."""
    return []


def untold(number: int) -> int:
    return number


resolver = Resolver()
resolver.get("/first")(first)
resolver.get("/second")(second)
resolver.on_message("first")(first)
resolver.on_message("second")(second)
resolver.tool("first")(first)
resolver.tool("second")(second)
resolver.tool("untold")(untold)


def places(text: str) -> int:
    return len(re.findall(rf"{HERE}:\d+", text))


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (openapi, ["GET /first", "GET /second"]),
        (asyncapi, ["websocket first", "websocket second"]),
        (catalogue, ["tool first", "tool second", "tool untold"]),
    ],
    ids=["openapi", "asyncapi", "tools"],
)
def test_each_fault_of_a_document_has_a_line_with_its_place(make: Callable[[Interface], Any], names: list[str]) -> None:
    described = describe(resolver, Info("Odd"))

    with pytest.raises(ConfigurationError) as refused:
        make(described)

    head, *faults = str(refused.value).splitlines()
    assert head == f"{len(names)} faults:"
    for fault, name in zip(faults, names, strict=True):
        assert (fault.startswith(f"- {name} "), places(fault)) == (True, 1), fault


def test_the_command_prints_them_line_by_line() -> None:
    done = CliRunner().invoke(app, ["export", "openapi", "tests.unit.router.contract.interface.test_faults:resolver"])

    assert done.exit_code == 2
    head, *faults = done.stderr.splitlines()
    assert (head, len(faults), places(done.stderr)) == ("error: 2 faults:", 2, 2)


def test_hints_that_cannot_be_resolved_are_told_together() -> None:
    broken = Resolver()
    for name in ("Ordr", "Custmer"):

        def show() -> Any:
            """Show it."""

        show.__annotations__["return"] = name
        broken.get(f"/{name}", name=name)(show)

    with pytest.raises(ConfigurationError, match=r"(?s)2 faults:\n- GET /Ordr .*\n- GET /Custmer "):
        describe(broken, Info("Odd"))


def test_the_check_finds_each_of_them() -> None:
    served = Resolver()
    served.get("/first")(first)
    served.get("/second")(second)
    serve_openapi(served, Info("Odd"))

    found = list(unserved(served.routes))

    assert [one.rule for one in found] == ["document", "document"]
    assert len({str(one.place) for one in found}) == 2
