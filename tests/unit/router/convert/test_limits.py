"""Limits of markers: what fits which type, what is let through, and how a refusal reads."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NewType

import pytest

from router import Body, ConfigurationError, Query, UnprocessableContent
from router.convert.compile import compile_converter

ROOT = Path(__file__).resolve().parents[4]
Size = NewType("Size", int)


def converter(annotation: Any, **limits: Any) -> Any:
    """Return what converts text with the limits of a marker beside its annotation."""
    return compile_converter(Annotated[annotation, Query(**limits)], text=True)


NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("annotation", "limits", "right", "wrong", "message"),
    [
        (int, {"ge": 1}, ["1", "2"], "0", "at least 1 is expected, not this number"),
        (int, {"gt": 1}, ["2"], "1", "more than 1 is expected, not this number"),
        (int, {"le": 9}, ["9", "-1"], "10", "at most 9 is expected, not this number"),
        (int, {"lt": 9}, ["8"], "9", "less than 9 is expected, not this number"),
        (int, {"multiple_of": 5}, ["10", "0", "-5"], "11", "a multiple of 5 is expected, not this number"),
        (int, {"ge": 1, "le": 3}, ["1", "3"], "4", "at most 3 is expected, not this number"),
        (float, {"ge": 0.5}, ["0.5"], "0.4", "at least 0.5 is expected, not this number"),
        (float, {"multiple_of": 0.1}, ["0.3", "0.7", "0"], "0.35", "a multiple of 0.1 is expected, not this number"),
        (Decimal, {"ge": Decimal("0.01")}, ["0.01"], "0.001", "at least 0.01 is expected, not this text"),
        (Decimal, {"multiple_of": Decimal("0.01")}, ["0.03"], "0.035", "a multiple of 0.01 is expected, not this text"),
        (date, {"ge": date(2025, 1, 1)}, ["2025-01-01"], "2024-12-31", "at least 2025-01-01 is expected, not this"),
        (time, {"lt": time(12)}, ["11:59:59"], "12:00:00", "less than 12:00:00 is expected"),
        (datetime, {"le": NOON}, ["2025-03-01T12:00:00Z"], "2025-03-01T12:00:01Z", "at most 2025-03-01 12:00:00"),
        (str, {"min_length": 2}, ["ab", "grüß"], "a", "at least 2 characters are expected, not 1"),
        (str, {"max_length": 2}, ["", "ab"], "abc", "at most 2 characters are expected, not 3"),
        (str, {"pattern": "^[a-z]+$"}, ["abc"], "abc\n", "a text that matches '^[a-z]+$' is expected, not this text"),
        (str, {"pattern": "b"}, ["abc"], "ac", "a text that matches 'b' is expected"),
        (str, {"pattern": r"^\$[$\]]+$"}, ["$$", "$]"], "$", r"a text that matches '^\\$[$\\]]+$' is expected"),
        (str, {"pattern": "(?m)^b$"}, ["a\nb\nc"], "ab", "a text that matches '(?m)^b$' is expected"),
        (list[int], {"min_length": 1, "max_length": 2}, [["1"], ["1", "2"]], [], "at least 1 values are expected"),
        (set[int], {"max_length": 1}, [["1"], ["1", "1"]], ["1", "2"], "at most 1 values are expected, not 2"),
        (int | None, {"ge": 1}, ["1"], "0", "at least 1 is expected"),
        (int | float, {"ge": 1}, ["1", "1.5"], "0.5", "at least 1 is expected"),
        (Size, {"ge": 1}, ["1"], "0", "at least 1 is expected"),
        (Annotated[int, Query(le=9)], {"ge": 1}, ["1", "9"], "10", "at most 9 is expected"),
        (list[Annotated[int, Query(ge=1)]], {"max_length": 2}, [["1", "2"]], ["1", "0"], "at least 1 is expected"),
    ],
    ids=str,
)
def test_a_limit_is_checked_of_the_converted_value(
    annotation: Any, limits: dict[str, Any], right: list[Any], wrong: Any, message: str
) -> None:
    convert = converter(annotation, **limits)
    plain = compile_converter(annotation, text=True)
    for value in right:
        assert convert(value, "query.x") == plain(value, "query.x")
    with pytest.raises(UnprocessableContent) as refused:
        convert(wrong, "query.x")
    (error,) = refused.value.members["errors"]
    assert error["at"].startswith("query.x")
    assert error["message"].startswith(message)


@pytest.mark.parametrize(
    ("annotation", "limits"),
    [
        (str, {"ge": 1}),
        (bool, {"ge": 1}),
        (int, {"ge": "1"}),
        (int, {"ge": True}),
        (int, {"min_length": 1}),
        (int, {"pattern": "1"}),
        (int, {"multiple_of": 0}),
        (int, {"multiple_of": -1}),
        (str, {"multiple_of": 2}),
        (str, {"min_length": -1}),
        (str, {"min_length": 1.5}),
        (str, {"pattern": 3}),
        (str | int, {"pattern": "a"}),
        (str | int, {"ge": 1}),
        (list[int], {"ge": 1}),
        (datetime, {"ge": datetime(2025, 1, 1)}),  # noqa: DTZ001 - such a bound has no place among those with an offset
        (date, {"ge": 1}),
        (Literal["a"], {"min_length": 1}),
    ],
    ids=str,
)
def test_a_limit_that_does_not_fit_the_annotation_is_refused(annotation: Any, limits: dict[str, Any]) -> None:
    (name,) = limits
    with pytest.raises(ConfigurationError, match=rf"Query\({name}=.*{name}=.* does not fit "):
        converter(annotation, **limits)


def test_a_pattern_that_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the pattern is not a regular expression: missing"):
        converter(str, pattern="(")


def test_none_passes_every_limit() -> None:
    convert = compile_converter(Annotated[int | None, Body(ge=1)], text=False)
    assert convert(None, "body") is None
    assert convert(1, "body") == 1
    with pytest.raises(UnprocessableContent):
        convert(0, "body")


def test_limits_need_no_pydantic_and_no_typing() -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from router import Query, Resolver\n"
        "def show(limit: int = Query(20, ge=1), tag: list[str] = Query([], max_length=2), name: str | None = None,\n"
        "         size: Query[int] = 3): ...\n"
        "Resolver().get('/')(show)\n"
        "assert not {'typing', 'pydantic', 'decimal', 'annotated_types'} & set(sys.modules), sorted(sys.modules)"
    )
    # Without the variables that start coverage there: it loads these modules itself.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-I", "-c", script]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
