"""Maps of what HTTP lets occur more than once."""

from __future__ import annotations

import pytest

from router.errors import ConfigurationError, EncodeError
from router.http.headers import Headers, QueryParams, ResponseHeaders


def test_a_query_gives_the_last_value_and_all_of_them() -> None:
    query = QueryParams({"tag": ["a", "b"], "page": ["2"]})
    assert query["tag"] == "b"
    assert query.getall("tag") == ["a", "b"]
    assert (query.get("tag"), query.get("none"), query.get("none", "x"), query.getall("none")) == ("b", None, "x", [])
    assert (list(query), len(query), "page" in query) == (["tag", "page"], 2, True)
    assert query.multi_items() == [("tag", "a"), ("tag", "b"), ("page", "2")]
    assert dict(query) == {"tag": "b", "page": "2"}
    assert repr(query) == "QueryParams({'tag': ['a', 'b'], 'page': ['2']})"
    assert len(QueryParams()) == 0
    with pytest.raises(KeyError):
        query["none"]


def test_what_getall_gives_is_a_copy() -> None:
    query, headers = QueryParams({"a": ["1"]}), Headers([("a", ["1"])])
    query.getall("a").append("2")
    headers.getall("a").append("2")
    assert (query.getall("a"), headers.getall("a")) == (["1"], ["1"])


def test_headers_are_found_in_any_case_and_repeated_ones_are_joined() -> None:
    headers = Headers([("Accept", ["text/html"]), ("accept", ["text/plain"]), ("X-One", ["1"])])
    assert headers["ACCEPT"] == "text/html, text/plain"
    assert headers.getall("Accept") == ["text/html", "text/plain"]
    assert ("x-one" in headers, "none" in headers, headers.__contains__(5)) == (True, False, False)
    assert (headers.get("none"), headers.getall("none"), len(headers)) == (None, [], 2)
    assert dict(headers) == {"accept": "text/html, text/plain", "x-one": "1"}
    assert repr(headers) == "Headers({'accept': ['text/html', 'text/plain'], 'x-one': ['1']})"


def test_response_headers_are_one_map_in_any_case() -> None:
    headers = ResponseHeaders({"X-A": "1"})
    headers["x-a"] = "2"
    headers.add("X-A", "3")
    headers["Content-Type"] = "text/plain"
    assert headers["X-a"] == "2, 3"
    assert headers.multi() == {"x-a": ["2", "3"], "content-type": ["text/plain"]}
    assert ("CONTENT-TYPE" in headers, headers.__contains__(5), len(headers)) == (True, False, 2)
    assert repr(headers) == "ResponseHeaders({'x-a': ['2', '3'], 'content-type': ['text/plain']})"
    del headers["X-A"]
    assert list(headers) == ["content-type"]
    headers.multi()["content-type"].append("other")
    assert headers["content-type"] == "text/plain"


def test_vary_names_each_header_once() -> None:
    headers = ResponseHeaders({"vary": "Origin"})
    headers.vary("origin", "Accept-Encoding")
    headers.vary("ACCEPT-ENCODING")
    assert headers["vary"] == "Origin, Accept-Encoding"


@pytest.mark.parametrize("name", ["", "x y", "x:y", "x\r\nSet-Cookie", "é", 'x"', 5, None])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="header name"):
        ResponseHeaders()[name] = "1"
    with pytest.raises(ConfigurationError, match="header name"):
        ResponseHeaders().add(name, "1")


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: a=b", "a\nb", "a\rb", "a\0b"])
def test_a_value_that_would_end_the_header_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="CR, LF and NUL"):
        ResponseHeaders({"x-a": value})
    with pytest.raises(ConfigurationError, match="CR, LF and NUL"):
        ResponseHeaders().add("x-a", value)


def test_a_value_that_is_no_text_is_refused_by_its_type() -> None:
    with pytest.raises(ConfigurationError, match="x-age: the value must be a str, not float"):
        ResponseHeaders({"x-age": 5.5})  # type: ignore[dict-item]
    with pytest.raises(ConfigurationError, match="x-age: the value must be a str, not bool"):
        ResponseHeaders().add("x-age", True)


def test_a_whole_number_is_written_out() -> None:
    headers = ResponseHeaders({"content-length": 5})
    headers["x-total"] = 10**20
    headers.add("x-total", -1)
    assert headers.multi() == {"content-length": ["5"], "x-total": [str(10**20), "-1"]}


@pytest.mark.parametrize("value", ["a\ud800", "\udfff"])
def test_a_value_that_cannot_be_encoded_is_refused(value: str) -> None:
    for put in (lambda: ResponseHeaders({"x-a": value}), lambda: ResponseHeaders().add("x-a", value)):
        with pytest.raises(EncodeError, match="header x-a holds a lone surrogate"):
            put()
