"""The content type of a request is the same, whether it is read alone or with all the headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import Resolver, read
from router.testing import samples

SPELLINGS = ("content-type", "Content-Type", "CONTENT-TYPE", "cOntent-typE")
TYPES = ("application/json", "text/plain", "application/json; charset=utf-8", "")

values = st.one_of(st.none(), st.sampled_from(TYPES), st.lists(st.sampled_from(TYPES), max_size=3))
headers = st.dictionaries(st.sampled_from((*SPELLINGS, "x-other-name", "accept")), values, max_size=4)
sources = st.sampled_from((samples.rest, samples.http, samples.url, samples.alb, samples.lattice))


@dataclass
class Order:
    id: str


@given(sources, st.sampled_from(("headers", "multiValueHeaders")), headers)
def test_read_alone_it_is_the_one_of_the_headers(sample: Any, key: str, held: dict[str, Any]) -> None:
    payload = sample("POST", "/")
    payload.pop("multiValueHeaders", None)
    payload[key] = held
    alone: Any = read(payload)[0]
    together = read(payload)[0]
    assert alone._content_type() == together.headers.get("content-type", "")


@pytest.mark.parametrize("first", SPELLINGS[:2])
def test_two_types_in_two_spellings_are_not_json(first: str) -> None:
    resolver = Resolver()

    @resolver.post("/")
    def place(order: Order) -> str:
        return order.id

    payload = samples.rest("POST", "/", body={"id": "o-1"})
    second = next(one for one in SPELLINGS if one != first)
    payload["multiValueHeaders"] = {first: ["application/json"], second: ["text/plain"]}
    assert resolver.resolve(payload)["statusCode"] == 415
    payload["multiValueHeaders"] = {first: ["application/json"]}
    assert resolver.resolve(payload)["statusCode"] == 200


@pytest.mark.parametrize("wrong", [5, [5], {"a": "b"}, ["application/json", 5]])
def test_a_type_that_is_no_text_is_refused(wrong: Any) -> None:
    resolver = Resolver()

    @resolver.post("/")
    def place(order: Order) -> str:
        return order.id

    payload = samples.rest("POST", "/", body={"id": "o-1"})
    payload["multiValueHeaders"] = {"content-type": wrong}
    answer = resolver.resolve(payload)
    assert answer["statusCode"] == 400
    assert "content-type in the event must be text" in answer["body"]
