"""Paths: templates, precedence, typed parameters, percent-encoding, and what a match costs."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import BadRequest, ConfigurationError
from router.routing.paths import Paths, parse
from router.routing.slots import Slot


def tree(*templates: str, method: str = "GET") -> Callable[..., tuple[str, list[Any]] | None]:
    """A function that finds the template of a path, with the values of its parameters."""
    paths = Paths()
    placed = {id(paths.place(template, method)): template for template in templates}

    def find(path: str, asked: str = method) -> tuple[str, list[Any]] | None:
        found = paths.find(asked, path)
        return None if found is None else (placed[id(found[0])], found[1])

    return find


# ---- what matches --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("/", "/", []),
        ("/", "", []),
        ("/orders", "/orders", []),
        ("/orders", "/orders/", []),
        ("/orders/", "/orders", []),
        ("/orders/{id}", "/orders/7", ["7"]),
        ("/orders/{id}", "/orders/7/", ["7"]),
        ("/{a}/x/{b}", "/1/x/2", ["1", "2"]),
        ("/files/{key+}", "/files/a", ["a"]),
        ("/files/{key+}", "/files/a/b/c", ["a/b/c"]),
        ("/files/{key+}", "/files//a//b/", ["/a//b"]),
        ("/{id:int}", "/-7", [-7]),
        ("/{id:str}", "/7", ["7"]),
        ("/v1.0/{name}", "/v1.0/a", ["a"]),
        ("/{name}", "/a.b-c_d~e", ["a.b-c_d~e"]),
        ("/{name}", "/..", [".."]),
        ("/{name}", "/\u00fc", ["\u00fc"]),
        ("/@{}".replace("{}", "me"), "/@me", []),
    ],
)
def test_matches(template: str, path: str, values: list[Any]) -> None:
    assert tree(template)(path) == (template, values)


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/", "/a"),
        ("/orders", "/order"),
        ("/orders", "/orders/7"),
        ("/orders", "/Orders"),
        ("/orders", "/orders//"),
        ("/orders", "//orders"),
        ("/orders", "/orders\n"),
        ("/orders/{id}", "/orders"),
        ("/orders/{id}", "/orders/"),
        ("/orders/{id}", "/orders//"),
        ("/orders/{id}/lines", "/orders//lines"),
        ("/files/{key+}", "/files"),
        ("/files/{key+}", "/files/"),
        ("/files/{key+}", "/files//"),
        ("/v1.0", "/v1x0"),
        ("/a", "/a/../a"),
        ("/a", "/./a"),
        ("/a/b", "/a%2Fb"),
        ("/a/b", "/a%2fb"),
        ("/a", "/a?b"),
    ],
)
def test_does_not_match(template: str, path: str) -> None:
    assert tree(template)(path) is None


def test_the_method_counts() -> None:
    paths = Paths()
    get, post = paths.place("/a/{x}", "GET"), paths.place("/a/{y}", "POST")
    assert get is not post
    assert paths.find("GET", "/a/1") == (get, ["1"])
    assert paths.find("POST", "/a/1") == (post, ["1"])
    assert paths.find("PUT", "/a/1") is None
    assert paths.place("/a/{other}/", "GET") is get  # the name of a parameter makes no other place


# ---- precedence ----------------------------------------------------------------------------------------------------

FULL = ("/o/new", "/o/{id:int}", "/o/{id:uuid}", "/o/{id:float}", "/o/{id}", "/o/{rest+}", "/{all+}")


@pytest.mark.parametrize("templates", [FULL, FULL[::-1]], ids=["in order", "reversed"])
@pytest.mark.parametrize(
    ("path", "template", "value"),
    [
        ("/o/new", "/o/new", None),
        ("/o/7", "/o/{id:int}", 7),
        ("/o/12345678-1234-1234-1234-123456789012", "/o/{id:uuid}", UUID("12345678-1234-1234-1234-123456789012")),
        ("/o/1.5", "/o/{id:float}", 1.5),
        ("/o/else", "/o/{id}", "else"),
        ("/o/new/x", "/o/{rest+}", "new/x"),
        ("/other", "/{all+}", "other"),
        ("/o", "/{all+}", "o"),
    ],
)
def test_static_beats_typed_beats_parameter_beats_greedy(
    templates: tuple[str, ...], path: str, template: str, value: Any
) -> None:
    assert tree(*templates)(path) == (template, [] if value is None else [value])


def test_a_way_that_ends_nowhere_is_taken_back() -> None:
    find = tree("/a/{x}/c", "/{y}/b/d", "/{z+}", "/a/{n:int}/e")
    assert find("/a/b/c") == ("/a/{x}/c", ["b"])
    assert find("/a/b/d") == ("/{y}/b/d", ["a"])
    assert find("/a/b/e") == ("/{z+}", ["a/b/e"])
    assert find("/a/7/e") == ("/a/{n:int}/e", [7])
    assert find("/a/7/c") == ("/a/{x}/c", ["7"])
    assert find("/a/7/d") == ("/{z+}", ["a/7/d"])


def test_a_better_place_without_the_method_does_not_hide_another() -> None:
    paths = Paths()
    paths.place("/a/new", "POST")
    paths.place("/a/{rest+}", "DELETE")
    get = paths.place("/a/{id}", "GET")
    assert paths.find("GET", "/a/new") == (get, ["new"])
    assert sorted(paths.methods("/a/new")) == ["DELETE", "GET", "POST"]
    assert paths.methods("/b") == paths.methods("/a//") == []


# ---- typed parameters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "0", 0),
        ("int", "007", 7),
        ("int", "9" * 38, 10**38 - 1),
        ("int", "-1", -1),
        ("float", "1", 1.0),
        ("float", "-1.25", -1.25),
        ("uuid", "ABCDEF12-1234-1234-1234-123456789012", UUID("abcdef12-1234-1234-1234-123456789012")),
    ],
)
def test_a_typed_parameter_takes(kind: str, text: str, value: Any) -> None:
    found = tree(f"/{{x:{kind}}}")(f"/{text}")
    assert found is not None
    assert (found[1], type(found[1][0])) == ([value], type(value))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *[("int", text) for text in ("abc", "1.0", "--1", "+1", "1_000", " 1", "1\n", "\u0661", "\u00b2", "", "-")],
        *[("int", text) for text in ("0x1", "9" * 41, "9" * 100_000, "1e5", "1%0A")],
        *[("float", text) for text in ("nan", "inf", "-inf", "1e5", ".5", "1.", "1.2.3", "1_0.0", "\u0661.5", "-")],
        *[("float", text) for text in ("9" * 400, "1." + "9" * 100_000, "1\n", "1.5 ")],
        *[("uuid", f"{start}2345678-1234-1234-1234-123456789012") for start in ("g", "_", "+", " ", "-", "\u0661")],
        *[("uuid", text) for text in ("12345678123412341234123456789012", "{12345678-1234-1234-1234-123456789012}")],
        *[("uuid", text) for text in ("1_345678-1234-1234-1234-123456789012", "1234", "a" * 36, "-" * 36)],
        ("uuid", "urn:uuid:12345678-1234-1234-1234-123456789012"),
        ("uuid", "12345678-1234-1234-1234-123456789012\n"),
    ],
)
def test_a_typed_parameter_does_not_take(kind: str, text: str) -> None:
    assert tree(f"/{{x:{kind}}}")(f"/{text}") is None


@given(st.integers(-(10**39), 10**39))
def test_every_integer_is_found_again(number: int) -> None:
    assert tree("/{x:int}")(f"/{number}") == ("/{x:int}", [number])


@given(st.uuids())
def test_every_uuid_is_found_again(value: UUID) -> None:
    assert tree("/{x:uuid}")(f"/{value}") == tree("/{x:uuid}")(f"/{str(value).upper()}") == ("/{x:uuid}", [value])


# ---- percent-encoding ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/f/a%20b", "a b"),
        ("/f/a+b", "a+b"),
        ("/f/%C3%BC", "\u00fc"),
        ("/f/\u00fc%20", "\u00fc "),
        ("/f/%F0%9F%98%80", "\U0001f600"),
        ("/f/a%2Fb", "a/b"),
        ("/f/%2e%2e%2f", "../"),
        ("/f/100%25", "100%"),
        ("/f/%2525", "%25"),
        ("/f/%00", "\0"),
        ("/f/a%0A", "a\n"),
        ("/%66/x", "x"),
    ],
)
def test_a_segment_is_decoded_once_after_the_path_was_split(path: str, value: str) -> None:
    assert tree("/f/{x}")(path) == ("/f/{x}", [value])


def test_an_encoded_slash_never_makes_a_segment() -> None:
    find = tree("/f/{x}", "/f/{x}/{y}", "/g/{rest+}")
    assert find("/f/a%2Fb") == ("/f/{x}", ["a/b"])
    assert find("/f/a/b%2Fc") == ("/f/{x}/{y}", ["a", "b/c"])
    assert find("/g/a%2Fb/c%20d") == ("/g/{rest+}", ["a%2Fb/c d"])
    assert find("/g%2Fa") is None


@pytest.mark.parametrize("path", ["/%", "/%4", "/a/%zz", "/%2", "/%%20", "/%-1", "/% 1", "/%\u0661\u0661", "/%+1"])
def test_a_malformed_encoding_is_a_bad_request(path: str) -> None:
    with pytest.raises(BadRequest, match="malformed percent-encoding"):
        tree("/{rest+}")(path)


@pytest.mark.parametrize("path", ["/%FF", "/%C3", "/%C3%28", "/%ED%A0%80", "/%C0%AF", "/\ud800%20"])
def test_an_encoding_that_is_not_utf8_is_a_bad_request(path: str) -> None:
    with pytest.raises(BadRequest, match="not UTF-8"):
        tree("/{rest+}")(path)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=2, max_size=2))
def test_any_text_can_be_a_parameter(texts: list[str]) -> None:
    path = "/" + "/".join(quote(text, safe="") for text in texts)
    assert tree("/{a}/{b}")(path) == ("/{a}/{b}", texts)


@given(st.text(st.sampled_from("ab/%2F.{}*+?\\\n\u00fc"), max_size=12))
def test_any_path_is_found_or_not_or_refused(path: str) -> None:
    find = tree("/", "/a", "/a/{x}", "/{x:int}", "/b/{rest+}", "/{x}/{y}")
    try:
        found = find("/" + path)
    except BadRequest:
        return
    if found is not None:
        assert len(found[1]) == found[0].count("{")
        assert "" not in found[1]


# ---- templates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("", "must start with a slash"),
        ("orders", "must start with a slash"),
        ("/a//b", "an empty segment"),
        ("//", "an empty segment"),
        ("/{id", "must be a whole segment, not '{id'"),
        ("/id}", "must be a whole segment"),
        ("/a{id}", "must be a whole segment"),
        ("/{a}{b}", "must be a whole segment"),
        ("/{a}-{b}", "must be a whole segment"),
        ("/{{a}}", "must be a whole segment"),
        ("/{}", "'' is no name"),
        ("/{1a}", "'1a' is no name"),
        ("/{a b}", "'a b' is no name"),
        ("/{a-b}", "'a-b' is no name"),
        ("/{+}", "'' is no name"),
        ("/{id:integer}", "unknown type 'integer'; use int, uuid, float or str"),
        ("/{id:}", "unknown type ''"),
        ("/{id:int+}", "unknown type 'int[+]'"),
        ("/{rest+}/x", "the greedy {rest[+]} must stand at the end"),
        ("/{id}/{id}", "the parameter id stands twice"),
        ("/{id}/{id+}", "the parameter id stands twice"),
    ],
)
def test_a_template_that_makes_no_sense_is_refused(template: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        parse(template)
    assert repr(template) in str(caught.value)


def test_the_steps_of_a_template() -> None:
    assert parse("/a/{b}/{c:int}/{d+}") == (("static", "a"), ("str", "b"), ("int", "c"), ("greedy", "d"))
    assert parse("/") == ()


@given(st.text(st.sampled_from(r".*+?|()[]^$\{}/a:"), max_size=8))
def test_a_template_is_never_a_regular_expression(text: str) -> None:
    try:
        static = all(kind == "static" for kind, _ in parse("/" + text))
    except ConfigurationError:
        return
    if static:
        find = tree("/" + text)
        assert find("/" + text) is not None
        other = re.sub(r"[.*+?|()\[\]^$\\]", "z", "/" + text)
        assert find(other) is None or other == "/" + text


# ---- cost ----------------------------------------------------------------------------------------------------------


def steps_of(find: Callable[[], object]) -> int:
    """How many lines of the module run, whatever the clock says."""
    lines = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.endswith("paths.py"):
            return None
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        find()
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("path", ["/r7/x/5", "/r7/5/y", "/none", "/r7/%78/5"])
def test_a_match_costs_the_same_with_ten_thousand_routes(path: str) -> None:
    def filled(count: int) -> Paths:
        paths = Paths()
        for number in range(count):
            for template in (f"/r{number}/x/{{id}}", f"/r{number}/{{a}}/y", f"/r{number}/{{n:int}}/z"):
                paths.place(template, "GET")
        return paths

    few, many = filled(8), filled(3_334)
    assert steps_of(lambda: many.find("GET", path)) == steps_of(lambda: few.find("GET", path)) > 0
    assert steps_of(lambda: many.methods(path)) == steps_of(lambda: few.methods(path)) > 0


def test_a_long_path_is_no_way_to_keep_it_busy() -> None:
    find = tree("/{rest+}", "/a/{x}/{y:int}", "/{x}/a/{z+}", "/a/a/a/a/{q}")
    started = time.perf_counter()
    for path in ("/a" * 50_000, "/" * 50_000, "/%41" * 50_000, "/" + "a" * 200_000):
        find(path)
    assert time.perf_counter() - started < 5


def test_a_slot_is_made_once() -> None:
    paths = Paths()
    assert isinstance(paths.place("/a", "GET"), Slot)
    assert paths.place("/a", "GET") is paths.place("/a/", "GET")
    assert paths.place("/{a+}", "GET") is paths.place("/{b+}", "GET")
    assert paths.place("/{a:int}", "GET") is not paths.place("/{a}", "GET")


@pytest.mark.parametrize("path", ["/orders/<order_id>", "/orders/:id", "/files/*", "/orders?id=1", "/<int:id>/x"])
def test_the_path_syntax_of_other_libraries_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match=r"write a parameter as \{name\}"):
        parse(path)
