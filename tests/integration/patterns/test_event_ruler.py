"""The meaning of event patterns, judged by EventBridge's own engine."""

from random import Random
from typing import Any

import pytest

from router.routing.patterns import compile_pattern
from tests.integration.patterns import random_patterns
from tests.servers.artefacts import EVENT_RULER
from tests.servers.event_ruler import judge
from tests.servers.requirements import require_artefact

PAIRS = 20_000
STATE = {
    "detail": {
        "state": "running",
        "size": 3,
        "tags": ["blue", "green"],
        "disks": [{"id": 1, "gb": 8}, {"id": 2, "gb": 9}],
    }
}
# What the guide says of each operator, on one event, and whether the pattern takes it.
CASES: list[tuple[dict[str, Any], bool]] = [
    ({"state": ["running"]}, True),
    ({"state": ["stopped", "running"]}, True),
    ({"state": ["Running"]}, False),
    ({"state": [{"equals-ignore-case": "RUNNING"}]}, True),
    ({"state": [{"prefix": "run"}]}, True),
    ({"state": [{"prefix": {"equals-ignore-case": "RUN"}}]}, True),
    ({"state": [{"suffix": "ing"}]}, True),
    ({"state": [{"suffix": {"equals-ignore-case": "ING"}}]}, True),
    ({"state": [{"wildcard": "r*n*g"}]}, True),
    ({"state": [{"anything-but": "running"}]}, False),
    ({"state": [{"anything-but": ["stopped", "terminated"]}]}, True),
    ({"state": [{"anything-but": {"prefix": "run"}}]}, False),
    ({"state": [{"anything-but": {"suffix": "ed"}}]}, True),
    ({"state": [{"anything-but": {"equals-ignore-case": ["RUNNING"]}}]}, False),
    ({"state": [{"anything-but": {"wildcard": "*nn*"}}]}, False),
    ({"size": [3.0]}, True),
    ({"size": ["3"]}, False),
    ({"size": [{"numeric": [">", 0, "<=", 3]}]}, True),
    ({"size": [{"numeric": ["<", 3]}]}, False),
    ({"size": [{"exists": True}], "owner": [{"exists": False}]}, True),
    ({"tags": ["green"]}, True),
    ({"tags": [{"anything-but": ["blue"]}]}, True),
    ({"disks": {"id": [1], "gb": [8]}}, True),
    ({"disks": {"id": [1], "gb": [9]}}, False),
    ({"$or": [{"state": ["stopped"]}, {"size": [3]}]}, True),
    ({"$or": [{"state": ["stopped"]}, {"size": [4]}]}, False),
]
# Where the router is known to differ: it ignores case as Unicode does, takes no address for one of the other kind, no
# number for an address, and no empty text for a quotation mark. What is missing inside an array, it looks for in the
# object that matches.
DIFFERENT: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"a": [{"equals-ignore-case": "k"}]}, {"a": "\u212a"}, True),
    ({"a": [{"equals-ignore-case": "ss"}]}, {"a": "ß"}, True),
    ({"a": [{"cidr": "::/0"}]}, {"a": "1.2.3.4"}, False),
    ({"a": [{"cidr": "0.0.0.0/0"}]}, {"a": 2.5}, False),
    ({"a": [{"prefix": '"'}]}, {"a": ""}, False),
    ({"a": [{"suffix": '"'}]}, {"a": ""}, False),
    ({"a": {"b": [{"exists": False}], "c": [1]}}, {"a": [{"b": 1}, {"c": 1}]}, True),
]


@pytest.fixture(autouse=True)
def _engine() -> None:
    require_artefact(EVENT_RULER)


def said(taken: bool) -> str:
    return "true" if taken else "false"


def misses_inside(pattern: dict[str, Any], depth: int = 0) -> bool:
    """Whether it asks for a missing field inside an object, which may be one of an array."""
    return any(
        any(misses_inside(branch, depth) for branch in value)
        if key == "$or"
        else misses_inside(value, depth + 1)
        if isinstance(value, dict)
        else depth > 0 and {"exists": False} in value
        for key, value in pattern.items()
    )


def test_random_patterns_take_what_the_engine_takes() -> None:
    random = Random(12)
    pairs = [(random_patterns.pattern(random), random_patterns.event(random)) for _ in range(PAIRS)]
    taken = [said(compile_pattern(pattern)(event)) for pattern, event in pairs]
    answers = judge(pairs)

    wrong = [(pair, own, engine) for pair, own, engine in zip(pairs, taken, answers, strict=True) if own != engine]
    unknown = [found for found in wrong if not misses_inside(found[0][0])]
    assert not unknown, f"{len(unknown)} of {PAIRS}, such as {unknown[:5]}"
    assert len(wrong) <= PAIRS // 2_000
    assert PAIRS // 10 < taken.count("true") < PAIRS * 9 // 10  # else little would have been compared


def test_each_operator_does_what_the_guide_says() -> None:
    patterns = [{"detail": pattern} for pattern, _ in CASES]
    expected = [said(taken) for _, taken in CASES]
    assert [said(compile_pattern(pattern)(STATE)) for pattern in patterns] == expected
    assert judge((pattern, STATE) for pattern in patterns) == expected


def test_the_known_differences_are_these() -> None:
    assert [compile_pattern(pattern)(event) for pattern, event, _ in DIFFERENT] == [own for *_, own in DIFFERENT]
    assert judge((pattern, event) for pattern, event, _ in DIFFERENT) == [said(not own) for *_, own in DIFFERENT]
