"""`ALL_TENANTS`: the tenants of an identity that may work for any."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from router import ALL_TENANTS, FromRequest, Identity, Resolver, Session, SessionPolicy
from router.testing import Answer, TestClient


class Everywhere:
    def authenticate(self, token: str) -> Identity | None:
        return Identity("ann", ALL_TENANTS) if token == "t1" else None


def get(mode: str, **headers: str) -> Answer:
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")), auth=Everywhere())

    @resolver.get("/who", auth=mode)
    def who(session: Session) -> Any:
        return [session.tenant, session.user]

    return TestClient(resolver).get("/who", headers={"authorization": "Bearer t1", **headers})


def test_the_request_says_for_which_and_has_to_say_it() -> None:
    assert get("full", **{"x-tenant": "acme"}).json() == ["acme", "ann"]
    assert get("user").json() == [None, "ann"]
    unnamed = get("full")
    assert unnamed.status == 400
    assert unnamed.json()["detail"].endswith("names none: send the header x-tenant")
    assert get("full", **{"x-tenant": ""}).status == 400


def test_all_tenants_is_no_list() -> None:
    assert "acme" in ALL_TENANTS
    assert "" not in ALL_TENANTS
    assert 7 not in ALL_TENANTS
    assert ALL_TENANTS
    for listing in (list, tuple, len, set):
        with pytest.raises(TypeError, match="no list"):
            listing(ALL_TENANTS)


def test_copies_are_the_same() -> None:
    identity = Identity("ann", ALL_TENANTS)
    assert copy.deepcopy(identity).tenants is ALL_TENANTS
    assert pickle.loads(pickle.dumps(identity)).tenants is ALL_TENANTS
    assert repr(ALL_TENANTS) == "ALL_TENANTS"
