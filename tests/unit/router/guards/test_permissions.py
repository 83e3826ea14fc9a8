"""Permissions see the arguments that are validated, combine, and let nobody in by mistake."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import pytest

from router import ConfigurationError, Event, Forbidden, FromRequest, Resolver, Response, Router, Session, SessionPolicy
from router.guards import anyone, permission
from router.testing import TestClient, samples


@dataclass
class Order:
    user: str
    total: int


@permission
def owner(session: Session, order: Order) -> bool:
    return order.user == session.user


@permission
def admin(session: Session) -> bool:
    return session.user == "root"


@permission
async def paid(order: Order) -> bool:
    await asyncio.sleep(0)
    return order.total > 0


@permission
def broken() -> bool:
    raise ValueError("no table")


def within(limit: int) -> Any:
    @permission
    def small(order: Order) -> bool:
        return order.total <= limit

    return small


POLICY = SessionPolicy(request=FromRequest(user_header="x-user"))


def asked(allowed: Any, user: str = "ann", *, total: Any = 5, of: str = "ann", waits: bool = False) -> int:
    resolver = Resolver(session=POLICY)
    if waits:

        @resolver.put("/orders/{id}", permission=allowed)
        async def later(id: str, order: Order) -> str:
            return id
    else:

        @resolver.put("/orders/{id}", permission=allowed)
        def change(id: str, order: Order) -> str:
            return id

    body = {"user": of, "total": total}
    return TestClient(resolver).put("/orders/7", json=body, headers={"x-user": user}).status


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (owner, (200, 403, 403)),
        (admin, (403, 403, 200)),
        (owner | admin, (200, 403, 200)),
        (owner & within(5), (200, 403, 403)),
        (owner & within(4), (403, 403, 403)),
        (owner | admin & within(4), (200, 403, 403)),
        ((owner | admin) & within(4), (403, 403, 403)),
        (~owner, (403, 200, 200)),
        (~(owner | admin), (403, 200, 403)),
        (owner & paid, (200, 403, 403)),
        (~paid | owner, (200, 403, 403)),
        (paid & admin, (403, 403, 200)),
        (anyone, (200, 200, 200)),
        (broken, (403, 403, 403)),
        (broken | owner, (403, 403, 403)),
        (owner | broken, (200, 403, 403)),
        (~broken, (403, 403, 403)),
        (owner & ~broken, (403, 403, 403)),
    ],
    ids=str,
)
def test_combinations(allowed: Any, expected: tuple[int, ...], waits: bool) -> None:
    assert tuple(asked(allowed, user, waits=waits) for user in ("ann", "bob", "root")) == expected


async def _refused() -> bool:
    return False


@permission
def forgetful() -> Any:
    return _refused()  # without await: a coroutine, which is true


@permission
async def forgetful_too() -> Any:
    return _refused()


@permission
def generated() -> Any:
    yield False


@permission
def returns_its_error() -> Any:
    return ValueError("no")


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("one", [forgetful, forgetful_too, generated, returns_its_error], ids=str)
def test_what_is_true_by_mistake_lets_nobody_in(one: Any, waits: bool, caplog: pytest.LogCaptureFixture) -> None:
    for allowed in (one, one | broken, admin | one, one & one, ~one, ~~one, paid & one, one & paid):
        assert asked(allowed, waits=waits) == 403
    assert f"permission {one} returned" in caplog.text


class Undecided:
    def __bool__(self) -> bool:
        raise RuntimeError("neither")


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda: False, id="a function that nobody called"),
        pytest.param(within(5), id="a permission"),
        pytest.param((False,), id="a comma after the answer"),
        pytest.param(("no", 403), id="an answer with its status"),
        pytest.param(Response("no", 403), id="an answer"),
        pytest.param(Forbidden, id="the class of an error"),
        pytest.param(NotImplemented, id="NotImplemented"),
        pytest.param(..., id="what nobody has written yet"),
        pytest.param(Undecided(), id="what is neither true nor false"),
    ],
)
def test_an_answer_that_is_always_true_lets_nobody_in(
    answer: Any, waits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def plain() -> Any:
        return answer

    async def plain_async() -> Any:
        return answer

    may = plain_async if waits else plain
    for allowed in (may, permission(may), permission(may) | admin, ~permission(may), permission(may) & owner):
        caplog.clear()
        assert asked(allowed, waits=waits) == 403
        assert "permission= failed, and the event is refused" in caplog.text


@pytest.mark.parametrize("answer", ["admin", 1, ["orders:write"], {"role": "admin"}, {"x"}, re.match("a", "a")])
def test_any_other_true_answer_lets_in(answer: Any) -> None:
    assert [asked(allowed) for allowed in (lambda: answer, permission(lambda: answer))] == [200, 200]


def test_a_plain_async_function_that_forgets_to_wait_lets_nobody_in() -> None:
    async def may() -> Any:
        return _refused()

    assert asked(may) == 403


def test_a_default_counts_for_an_argument_that_the_handler_does_not_have() -> None:
    def may(spare: int = 3, session: Session | None = None) -> bool:
        return spare == 3 and session is not None and session.user == "ann"

    @permission
    def other(limit: int = 5, *, order: Order, spare: str = "") -> bool:
        return (limit, spare, order.total) == (5, "", 5)

    for allowed in (may, permission(may), permission(may) & other, other & permission(may)):
        assert [asked(allowed, user) for user in ("ann", "bob")] == [200, 403]

    @permission
    def needy(spare: int) -> bool:
        return True

    with pytest.raises(ConfigurationError, match="asks for 'spare'"):
        asked(permission(may) | needy)


def test_a_body_that_is_malformed_is_a_422_before_anything_is_asked() -> None:
    assert asked(owner, total="much") == 422
    assert asked(admin, total="much") == 422
    assert asked(broken, total="much") == 422


def test_a_plain_function_takes_arguments_by_name_as_well() -> None:
    seen: list[Any] = []

    def may(id: str, event: Event, session: Session, spare: int = 3) -> bool:
        seen.append((id, event.method, session.user, spare))
        return True

    assert asked(may) == 200
    assert seen == [("7", "PUT", "ann", 3)]
    assert asked(lambda: True) == 200
    assert asked(lambda session, event: session.user == "bob") == 403
    assert asked(lambda *both: len(both) == 2) == 200


def test_typed_path_and_query_arguments_arrive_converted() -> None:
    resolver = Resolver()

    @resolver.get("/typed/{number}", permission=lambda number, limit: number < limit)
    def typed(number: int, limit: int = 5) -> str:
        return "ok"

    client = TestClient(resolver)
    assert client.get("/typed/4").status == 200
    assert client.get("/typed/4?limit=3").status == 403


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        (
            lambda session, oder: True,
            r"PUT /orders/\{id\}: permission= asks for 'oder'; there are session, event, id, order",
        ),
        (lambda *, session: True, "by keyword alone"),
        (owner | permission(lambda nothing: True), "asks for 'nothing'"),
    ],
)
def test_what_nothing_provides_is_refused_when_it_is_registered(allowed: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        asked(allowed)


@pytest.mark.parametrize("wrong", [5, "owner", Order, None])
def test_what_is_no_permission_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError):
        permission(wrong)
    with pytest.raises(ConfigurationError, match="decorate the function with @permission"):
        _ = owner | wrong
    with pytest.raises(ConfigurationError, match="decorate the function with @permission"):
        _ = wrong & owner


def test_arguments_without_a_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="name each argument"):
        permission(lambda *both: True)


def test_names_tell_the_combination() -> None:
    assert str(owner | admin & within(5)) == "owner | admin & small"
    assert str((owner | admin) & ~within(5)) == "(owner | admin) & ~small"
    assert str(~(owner & admin)) == "~(owner & admin)"


def test_the_second_is_asked_only_if_it_matters() -> None:
    calls: list[str] = []

    @permission
    def dear() -> bool:
        calls.append("dear")
        return True

    assert asked(owner | dear) == 200
    assert asked(admin & dear) == 403
    assert calls == []
    assert asked(admin | dear) == 200
    assert calls == ["dear"]


@pytest.mark.parametrize("batch", [False, True])
def test_each_record_is_asked_for_itself(batch: bool) -> None:
    resolver = Resolver()
    seen: list[str] = []
    if batch:

        @resolver.on_queue("orders", batch=True, permission=lambda event, session: session.user == "ann")
        def many(events: list[Event]) -> None:
            seen.extend(event.id for event in events)
    else:

        @resolver.on_queue("orders", permission=owner)
        def one(event: Event, order: Order) -> None:
            seen.append(event.id)

    body = {"user": "ann", "total": 1}
    records = [samples.sqs_record("orders", body, session={"tenant": "a", "user": user}) for user in ("ann", "bob")]
    answer = resolver.resolve({"Records": records})
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [records[1]["messageId"]]
    assert seen == [records[0]["messageId"]]


# ---- deny by default -----------------------------------------------------------------------------------------------


def test_a_route_without_a_permission_is_denied_where_that_is_the_default(caplog: pytest.LogCaptureFixture) -> None:
    group = Router("/group")
    group.get("/listed", permission=anyone)(lambda: "ok")
    group.get("/unlisted")(lambda: "ok")
    resolver = Resolver(deny_by_default=True)
    resolver.include(group)
    resolver.get("/unlisted")(lambda: "ok")
    resolver.on_queue("orders")(lambda: None)
    client = TestClient(resolver)
    assert client.get("/group/listed").status == 200
    assert [client.get(path).status for path in ("/unlisted", "/group/unlisted")] == [403, 403]
    assert len(client.queue("orders", [{}])["batchItemFailures"]) == 1
    for route in ("GET /unlisted", "GET /group/unlisted", "sqs orders"):
        assert f"{route} has no permission=, and deny_by_default lets nobody in" in caplog.text
    assert [route.match for route in resolver.routes if route.permission is anyone] == ["/group/listed"]
