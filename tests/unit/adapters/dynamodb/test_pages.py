"""Page tokens: only those that a list itself has made, for the same list and the same tenant, are taken."""

from __future__ import annotations

import base64
import hashlib
import hmac

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters._core.page_tokens import seal
from adapters.dynamodb import InvalidPageToken, Table, attr, between
from adapters.dynamodb.pages import ItemPages
from router import BadRequest, Session, reset_session, set_session
from tests.unit.adapters.dynamodb.samples import Order, User

ITEM = {"pk": {"S": "tenant#acme#user#u1"}, "sk": {"S": "order#2025-01-03#0001"}}


@pytest.fixture(autouse=True)
def acme():
    token = set_session(Session(tenant="acme"))
    yield
    reset_session(token)


def pages(key="u1", *, table="app", secret="", scan=False, **options) -> ItemPages:
    made = Table(table, [User, Order], tenant_prefix=True, page_secret=secret)
    return (made.scan(Order, **options) if scan else made.query(Order, key, **options))._pages


def test_a_token_leads_to_where_the_list_goes_on():
    assert pages().start(pages().token(ITEM)) == ITEM


@pytest.mark.parametrize(
    "other",
    [
        {"key": "u2"},
        {"key": {"user": "u1", "placed": between("2025-01-01", "2025-01-02")}},
        {"table": "other"},
        {"where": attr("total") > 1},
        {"reverse": True},
        {"secret": "s"},
        {"scan": True},
    ],
)
def test_a_token_of_another_list_is_refused(other):
    with pytest.raises(InvalidPageToken, match="the page token does not belong to this list"):
        pages(**other).start(pages().token(ITEM))


def test_a_token_of_the_same_list_with_another_projection_is_taken():
    assert pages(only=["total"]).start(pages().token(ITEM)) == ITEM


def test_a_token_lasts_though_time_goes_on():
    """What has expired is filtered out by the second; the list is the same."""
    clock = iter(range(1000, 2000))
    table = Table("app", [User, Order], tenant_prefix=True, clock=lambda: next(clock))
    item = {"pk": {"S": "tenant#acme#user#u1"}, "sk": {"S": "profile"}}
    token = table.query(User, "u1")._pages.token(item)
    assert table.query(User, "u1")._pages.start(token) == item


def test_a_token_of_another_tenant_is_refused():
    token = pages().token(ITEM)
    set_session(Session(tenant="other"))
    with pytest.raises(InvalidPageToken):
        pages().start(token)


@given(st.data())
def test_an_altered_token_is_refused(data):
    token = pages().token(ITEM)
    position = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("AZaz09-_=!é\n").filter(lambda one: one != token[position]))
    with pytest.raises(InvalidPageToken):
        pages().start(token[:position] + letter + token[position + 1 :])


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_else_is_refused(token):
    with pytest.raises(InvalidPageToken):
        pages().start(token)


@pytest.mark.parametrize("token", [5, b"YQ", ["a"]])
def test_what_is_no_text_is_refused(token):
    with pytest.raises(InvalidPageToken):
        pages().start(token)


@pytest.mark.parametrize("scan", [False, True])
@pytest.mark.parametrize(
    "values",
    [
        ["tenant#other#user#u1", "order#1"],
        ["tenant#acme", "order#1"],
        ["tenant#acme#user#u1"],
        ["tenant#acme#user#u1", 5],
        {"pk": "tenant#acme#user#u1"},
        None,
    ],
)
def test_a_forged_token_does_not_leave_the_tenant(values, scan):
    """Somebody who knows how tokens are made, and that there is no secret."""
    forged = pages(scan=scan)
    payload = orjson.dumps(values)
    token = seal(payload, forged._schema.page_secret, forged._about())
    with pytest.raises(InvalidPageToken):
        pages(scan=scan).start(token)


def test_a_forged_token_does_not_leave_the_partition():
    payload = orjson.dumps(["tenant#acme#user#u2", "order#1"])
    token = seal(payload, b"", pages()._about())
    with pytest.raises(InvalidPageToken):
        pages().start(token)


def test_with_a_secret_nobody_else_makes_a_token():
    signed, payload = pages(secret="s" * 32), orjson.dumps(["tenant#acme#user#u1", "order#1"])
    for key in (b"", b"guess"):
        forged = hmac.digest(key, payload, hashlib.sha256)[:16] + payload
        with pytest.raises(InvalidPageToken):
            signed.start(base64.urlsafe_b64encode(forged).decode().rstrip("="))
    assert signed.start(pages(secret=b"s" * 32).token(ITEM)) == ITEM


def test_over_http_it_is_the_client_s_mistake():
    error = InvalidPageToken("app")
    assert isinstance(error, BadRequest)
    assert (error.status, error.detail) == (400, "the page token does not belong to this list; start again without one")
