"""`ExistingTokens` and documents that another program wrote otherwise than it should."""

from __future__ import annotations

from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import pytest
from bson import Regex

from adapters.tokens import ExistingTokens
from router import ALL_TENANTS, ConfigurationError, Identity

TOKEN = {"_id": 1, "token": "t", "is_active": True, "user_id": "ann"}


class Documents:
    """A database that returns one token and one user, and keeps what it was asked."""

    settings = SimpleNamespace(blocking="allow")

    def __init__(self, token: dict[str, Any], user: dict[str, Any]) -> None:
        self.held = {"tokens": token, "users": user}
        self.asked: list[dict[str, Any]] = []

    def access(self, cluster: str | None, *, asynchronous: bool) -> Documents:
        return self

    def collection(self, database: str, name: str) -> Generator[Any, Any, Any]:
        def find_one(query: dict[str, Any]) -> dict[str, Any]:
            self.asked.append(query)
            return self.held[name]

        yield
        return SimpleNamespace(find_one=find_one)

    def run(self, steps: Generator[Any, Any, Any], *_: Any) -> Any:
        step: Any = None
        try:
            while True:
                step = steps.send(step)
        except StopIteration as ended:
            return ended.value


def checked(documents: Documents, tenants: Any = ALL_TENANTS) -> Identity | None:
    mongo: Any = documents
    return ExistingTokens(mongo, tenants=tenants).authenticate("t")


@pytest.mark.parametrize("user_id", ["ann", {"$ne": None}, Regex(".")])
def test_the_user_of_a_token_is_looked_up_by_value(user_id: Any) -> None:
    documents = Documents({**TOKEN, "user_id": user_id}, {"_id": "ann"})
    checked(documents)
    assert documents.asked[1] == {"_id": {"$eq": user_id}}


@pytest.mark.parametrize(
    ("held", "is_let_in"),
    [
        ({}, True),
        *(({"is_active": yes}, True) for yes in (True, 1)),
        *(({"is_active": no}, False) for no in ("false", "no", 0, None, [False], {"a": 1})),
    ],
)
def test_only_a_user_who_is_active_is_let_in(held: dict[str, Any], is_let_in: bool) -> None:
    assert (checked(Documents(TOKEN, {"_id": "ann", **held})) is not None) is is_let_in


@pytest.mark.parametrize("returned", ["acme", b"acme", None, 5])
def test_one_name_is_no_list_of_tenants(returned: Any) -> None:
    with pytest.raises(ConfigurationError, match="returns a list of names, not"):
        checked(Documents(TOKEN, {"_id": "ann"}), lambda user: returned)


@pytest.mark.parametrize("returned", [[None], [1], ["acme", ""], [object()]])
def test_what_is_no_name_is_no_tenant(returned: Any) -> None:
    with pytest.raises(ConfigurationError, match="returns a list of names, texts"):
        checked(Documents(TOKEN, {"_id": "ann"}), lambda user: returned)


def test_tenants_of_a_list() -> None:
    found = checked(Documents(TOKEN, {"_id": "ann", "states": ["acme", "globex"]}), lambda user: user["states"])
    assert found is not None
    assert found.tenants == ("acme", "globex")
