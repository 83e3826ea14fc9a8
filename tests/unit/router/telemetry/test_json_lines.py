"""`JsonLines`: one line of JSON for each record, whatever is in it."""

from __future__ import annotations

import json
import logging
import sys
from decimal import Decimal
from typing import Any

import pytest

from router.telemetry import JsonLines, LogFields


class Mute:
    """Something that has no text."""

    def __str__(self) -> str:
        raise RuntimeError


def line(message: Any, *args: Any, **attributes: Any) -> dict[str, Any]:
    record = logging.makeLogRecord(
        {"name": "shop", "levelname": "INFO", "msg": message, "args": args, "created": 0.25, **attributes}
    )
    text = JsonLines().format(record)
    assert len(text.splitlines()) == 1
    held: dict[str, Any] = json.loads(text)
    return held


def test_a_line_has_the_time_the_level_the_message_and_the_fields() -> None:
    assert line("paid %s", 3, route="sqs orders", tenant=None, aws_request_id="r", tenant_id=None) == {
        "timestamp": "1970-01-01T00:00:00.250+00:00",
        "level": "INFO",
        "message": "paid 3",
        "logger": "shop",
        "route": "sqs orders",
    }


def test_an_extra_cannot_take_the_place_of_the_level_or_the_time() -> None:
    told = line("x", level="FORGED", timestamp="FORGED", logger="FORGED", exception="mine")
    assert "FORGED" not in told.values()
    assert told["exception"] == "mine"


def test_a_message_that_is_a_dict_stays_one() -> None:
    assert line({"a": 1})["message"] == {"a": 1}


def test_an_error_is_on_the_line_with_its_traceback() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        told = line("failed", exc_info=sys.exc_info(), stack_info="Stack:\n  here")
    assert told["exception_name"] == "ValueError"
    assert told["exception"].startswith("Traceback")
    assert told["exception"].endswith("ValueError: two\nlines")
    assert told["stack"] == "Stack:\n  here"


class Broken:
    @property
    def to_dict(self) -> Any:
        raise RuntimeError


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("1.10"), 1.10),
        ({1, 2}, [1, 2]),
        (2**70, 2**70),
        (object(), "<builtins.object>"),
        (CYCLE, "<builtins.list>"),
        (Broken(), f"<{__name__}.Broken>"),
        ("half \ud800", "half \ud800"),
        ("x" * 70_000, "x" * 65_536 + "... (70000 characters)"),
    ],
)
def test_no_value_fails_a_line(value: Any, written: Any) -> None:
    assert line("x", value=value)["value"] == written


@pytest.mark.parametrize(
    ("message", "arguments", "told"),
    [
        ("paid %d", ("x",), "paid %d (its arguments cannot be written: TypeError)"),
        ("paid %s", (Mute(),), "paid %s (its arguments cannot be written: RuntimeError)"),
        (Mute(), (), "Mute (its arguments cannot be written: RuntimeError)"),
    ],
)
def test_no_message_fails_a_line(message: object, arguments: tuple[object, ...], told: str) -> None:
    record = logging.makeLogRecord({"msg": message, "args": arguments})
    assert json.loads(JsonLines().format(record))["message"] == told


def test_it_takes_the_place_of_text_formats_alone(kept) -> None:
    class JsonFormatter(logging.Formatter):  # Lambda's own has this name
        pass

    other = type(kept)()
    other.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(other)
    LogFields(json=True).install()
    assert isinstance(kept.formatter, JsonLines)
    assert isinstance(other.formatter, JsonFormatter)


def test_where_nothing_is_set_up_lines_go_to_stderr(kept, capsys) -> None:
    root = logging.getLogger()
    root.handlers = []
    LogFields(json=True).install()
    logging.getLogger("shop").info("x")
    assert json.loads(capsys.readouterr().err)["message"] == "x"
