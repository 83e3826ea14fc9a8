"""Call the odd application by its client: what handlers are given, and what callers get back."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import httpx
import pytest

from adapters.errors import InvalidMessage
from adapters.http import ServiceFailed, Services
from adapters.sister import UnexpectedAnswer
from router import Envelope, NotFound, Resolver
from router.errors import ConfigurationError
from tests.unit.router.contract.client import odd_shop
from tests.unit.router.contract.client.made import imported, services_of, text_of

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
ID = UUID("12345678-1234-5678-1234-567812345678")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return imported(text_of(odd_shop.resolver, "OddClient"), tmp_path_factory.mktemp("client"), "odd_round_trip")


@pytest.fixture
def http(made: Any) -> Any:
    odd_shop.seen.clear()
    return made.OddClient(services_of(odd_shop.resolver, "odd")).http


def test_models_come_back_as_they_were_sent(made: Any, http: Any) -> None:
    paid = made.Paid(
        by=made.Cash(kind="cash", amount=Decimal("1.10")),
        dt=NOON,
        field=ID,
        dict_={"any": [1]},
        Literal="text",
        pair=(1, "a"),
        state="closed for good",
        others=[made.Card(kind="card", number="1"), made.Cash(kind="cash", amount=Decimal(2))],
    )
    assert http.pay(ID, "first/second", paid) == paid
    assert asyncio.run(http.pay_async(ID, "first/second", paid)) == paid


def test_names_of_what_the_module_imports_are_free(tmp_path: Path) -> None:
    resolver = Resolver()
    for name in ("reader", "field", "wire", "dataclass", "Decimal", "annotations"):
        resolver.post(f"/{name}", name=name)(odd_shop.lent)
    made = imported(text_of(resolver), tmp_path, "free_names")
    http = made.ShopClient(services_of(resolver, "shop")).http
    loan = made.Action(
        reader="ann", wire=NOON, Decimal=Decimal("1.5"), annotations=["late"], dataclass=made.Any(value="a")
    )
    for name in ("reader", "field", "wire", "dataclass", "Decimal", "annotations"):
        assert getattr(http, name)(loan) == asyncio.run(getattr(http, f"{name}_async")(loan)) == loan


def test_members_of_enums_keep_their_names(made: Any) -> None:
    assert [(one.name, one.value) for one in made.Size] == [("SMALL", 1), ("LARGE", -2)]
    assert [one.name for one in made.Color] == [one.name for one in odd_shop.Color]
    assert made.Priced(unitPrice=Decimal(1), from_=NOON.date()).size is made.Size.SMALL


def test_a_tree_comes_back(made: Any, http: Any) -> None:
    tree = made.Node(name="root", children=[made.Node(name="leaf", parent=made.Node(name="other"))])
    assert http.import_(tree) == made.PageNode(items=[tree], next=None)


def test_fields_without_a_value_are_left_to_the_service(made: Any, http: Any) -> None:
    priced = made.Priced(unitPrice=Decimal("0.30"), from_=NOON.date(), color=made.Color.ODD)
    answer = http.price(priced, x_trace="t", body_=[1, 2], self_=False)
    assert answer.tags == ["made when it is asked for"]
    assert (answer.unitPrice, answer.from_, answer.color) == (Decimal("0.30"), NOON.date(), made.Color.ODD)
    assert answer.least == Decimal("0.10")
    assert odd_shop.seen == [("t", 1, "none", [1, 2], False)]


def test_parameters_have_the_names_of_the_service(made: Any, http: Any) -> None:
    http.price(made.Priced(unitPrice=Decimal(1), from_=NOON.date()), x_trace="t", n2fa=7, session_id="ab=c")
    assert odd_shop.seen == [("t", 7, "ab=c", None, True)]


def test_a_cookie_cannot_bring_another_one(made: Any, http: Any) -> None:
    with pytest.raises(InvalidMessage, match="session-id"):
        http.price(made.Priced(unitPrice=Decimal(1), from_=NOON.date()), x_trace="t", session_id="a; admin=1")


def test_headers_beside_a_call_lose_nothing(made: Any) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(204)

    http = made.OddClient(Services({"odd": "https://odd.internal"}, transport=httpx.MockTransport(answer))).http
    beside = {"Cookie": "theme=dark", "X-TRACE": "another", "X-Other": "kept"}
    priced = made.Priced(unitPrice=Decimal(1), from_=NOON.date())
    http.price(priced, x_trace="t", session_id="ab", headers=beside)
    http.write("name", b"x", headers={"Content-Type": "application/x-own"})
    assert (sent[0].headers["cookie"], sent[0].headers["x-other"]) == ("theme=dark; session-id=ab", "kept")
    assert sent[0].headers.get_list("x-trace") == ["t"]
    assert sent[1].headers.get_list("content-type") == ["application/x-own"]


def test_a_path_may_hold_slashes_and_nothing_leads_out_of_it(http: Any) -> None:
    [odd] = http.list_("a/b c", dt=NOON, colors=list(odd_shop.Color)[:1])
    assert odd_shop.seen == [("a/b c", NOON, [odd_shop.Color.RED])]
    assert (odd.from__2, odd.from_, odd.x_trace, odd.n2fa, odd.list_) == ("a", "c", 1, True, ["d"])
    assert http.read("../secret?x=1") == b"../secret?x=1"


def test_a_body_has_the_names_of_json(made: Any, http: Any) -> None:
    given = made.Odd(from__2="a", x_trace=1, n2fa=True, class_="b", from_="c", list_=[])
    assert http.odd(given).value == "a"
    assert odd_shop.seen == [{"from": "a", "x-trace": 1, "2fa": True, "class": "b", "from_": "c", "list": []}]


def test_bytes_and_texts_go_as_they_are(http: Any) -> None:
    assert http.write("name", b"\x00\xff") is None
    assert odd_shop.seen == [("name", b"\x00\xff")]
    assert http.note("größer") == "größer"
    assert http.stream() == b"ab"


def test_a_body_that_a_handler_reads_itself_may_be_anything(http: Any) -> None:
    assert http.by_hand({"a": 1}) == {"a": 1}
    assert http.by_hand("text") == "text"
    assert http.by_hand(b"\x00") == b"\x00"
    assert http.by_hand() is None


@pytest.mark.parametrize(("number", "kind"), [(200, "Card"), (202, "Cash"), (204, "NoneType")])
def test_each_status_has_its_type(http: Any, number: int, kind: str) -> None:
    assert type(http.mixed(number=number)).__name__ == kind


def test_an_error_says_what_the_problem_document_says(http: Any) -> None:
    with pytest.raises(ServiceFailed) as caught:
        http.mixed(number=404)
    failed = caught.value
    assert (failed.status, failed.title, failed.detail) == (404, "Not Found", "there is no such order")
    assert failed.errors == ({"at": "query.number", "message": "is not there"},)
    assert failed.app_code == failed.problem["code"] == "S1"


def test_an_answer_of_another_form_is_no_answer_of_ours_to_our_client(made: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"kind": "card", "number": {"secret": "4111"}})

    services = Services({"odd": "https://odd.internal"}, transport=httpx.MockTransport(answer))
    with pytest.raises(UnexpectedAnswer, match=r"GET /mixed.*answer\.number: a text is expected") as caught:
        made.OddClient(services).http.mixed(number=200)
    assert "4111" not in str(caught.value)
    assert not hasattr(caught.value, "status")  # a 422 would blame the client of this service


@pytest.mark.parametrize("content", [b"<html>", b""])
def test_an_answer_that_is_no_json_is_refused(made: Any, content: bytes) -> None:
    kind = {"content-type": "application/json" if content else "text/html"}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=content, headers=kind))
    services = Services({"odd": "https://odd.internal"}, transport=transport)
    with pytest.raises(UnexpectedAnswer, match="GET /mixed"):
        made.OddClient(services).http.mixed(number=200)


def test_a_client_without_services_says_what_is_missing(made: Any) -> None:
    with pytest.raises(ConfigurationError, match="services="):
        made.OddClient().http.mixed(number=200)
    with pytest.raises(ConfigurationError, match="function="):
        made.OddClient().invoke.nothing()
    with pytest.raises(ConfigurationError, match="bus="):
        made.OddClient().events.closed({})


def test_an_envelope_is_opened_whatever_its_status(tmp_path: Path) -> None:
    for status in (None, 200):
        resolver = Resolver(envelope=Envelope(data="result", status=status))
        resolver.get("/nodes/{name}", name="show")(show)
        made = imported(text_of(resolver), tmp_path, f"enveloped_{status}")
        client = made.ShopClient(services_of(resolver, "shop"))
        assert client.http.show("leaf") == made.Node(name="leaf", children=[], parent=None)
        with pytest.raises(ServiceFailed) as caught:
            client.http.show("none")
        assert (caught.value.app_code, caught.value.detail) == ("S99999", "there is no such node")
        assert caught.value.status == (status or 404)


def show(name: str) -> odd_shop.Node:
    if name == "none":
        raise NotFound("there is no such node")
    return odd_shop.Node(name)


def test_a_result_that_is_a_text_or_something_else_is_read_as_it_comes(tmp_path: Path) -> None:
    def show(which: str) -> dict[str, int] | str:
        return "nothing" if which == "text" else {"a": 1}

    def state() -> Literal["new", "paid"]:
        return "new"

    resolver = Resolver()
    resolver.get("/things/{which}")(show)
    resolver.get("/state")(state)
    made = imported(text_of(resolver, "TextClient"), tmp_path, "text_client")
    http = made.TextClient(services_of(resolver, "text")).http
    assert (http.show("text"), http.show("json"), http.state()) == ("nothing", {"a": 1}, "new")
