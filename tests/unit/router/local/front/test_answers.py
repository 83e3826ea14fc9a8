"""Answers of functions as HTTP: whatever a function answers, an answer goes out, or a reason why not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.event import Source
from router.local.front.answers import TOKEN, Malformed, head, render

SOURCES = (Source.REST, Source.HTTP, Source.URL, Source.ALB)
_LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=8)
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(["x-a", "X-A", "set-cookie", "content-type", "content-length", "transfer-encoding"]) | st.text(
    max_size=6
)
_HEADERS = st.dictionaries(_NAMES, _LEAVES | st.lists(_LEAVES, max_size=3), max_size=4)
_ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "statusCode": st.integers(90, 610) | st.sampled_from(["200", "404", "²", "-1", ""]) | _JSON,
        "headers": _HEADERS | _JSON,
        "multiValueHeaders": _HEADERS | _JSON,
        "cookies": st.lists(_LEAVES, max_size=3) | _JSON,
        "body": st.text(max_size=20) | st.sampled_from(["aGk=", "a", "===="]) | _JSON,
        "isBase64Encoded": st.booleans() | _JSON,
    },
)


@given(answer=_ANSWERS | _JSON, source=st.sampled_from(SOURCES), decodes=st.booleans())
@settings(max_examples=300, deadline=None)
def test_nothing_but_a_valid_answer_or_a_reason_comes_out(answer: Any, source: Source, decodes: bool) -> None:
    try:
        status, headers, body = render(source, answer, [(b"x-own", b"1")], decodes=decodes)
    except Malformed:
        return
    assert 200 <= status <= 599
    assert type(body) is bytes
    names = [name for name, _ in headers]
    assert (b"x-own", b"1") in headers
    assert names.count(b"content-length") == (0 if status in (204, 205, 304) else 1)
    assert b"transfer-encoding" not in names
    for name, value in headers:
        assert TOKEN.fullmatch(name.decode())
        assert name == name.lower()
        assert not {0, 10, 13} & set(value)


@pytest.mark.parametrize("source", SOURCES)
def test_text_that_cannot_be_encoded_is_refused(source: Source) -> None:
    for answer in (
        {"statusCode": 200, "body": "\ud800"},
        {"statusCode": 200, "headers": {"x": "\ud800"}},
    ):
        with pytest.raises(Malformed, match="surrogate"):
            render(source, answer, [])


def test_the_head_of_a_stream_has_no_length() -> None:
    answer = {"statusCode": 200, "headers": {"content-length": "5", "x": "y"}, "cookies": ["a=1"]}
    status, headers = head(Source.URL, answer, [])
    assert status == 200
    assert headers == [(b"x", b"y"), (b"set-cookie", b"a=1"), (b"content-type", b"application/json")]
