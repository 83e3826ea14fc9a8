"""What `Tokens` promises over each store. A module of tests gives the fixture `place` and a class of this one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from adapters.tokens import InvalidRequest, TokenNotValid, Tokens
from router import Identity

if TYPE_CHECKING:
    from adapters.tokens.store import TokenStore

CLAIMS = {"role": "admin", "limit": 10.5, "quota": 7, "of": {"a": [1, None, True, "é"]}}


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class TokenPlace:
    """A store of a test, with a clock."""

    store: TokenStore
    clock: Clock = field(default_factory=Clock)

    def tokens(self, **options: Any) -> Tokens:
        """`Tokens` as another process would have them."""
        return Tokens(self.store, clock=self.clock, **options)


class TokenContract:
    """Tests over the fixture `place`."""

    @pytest.fixture(params=["sync", "async"])
    def call(self, request: pytest.FixtureRequest, place: TokenPlace) -> Callable[..., Any]:
        """Call a verb, or its twin on a loop."""

        def sync(tokens: Tokens, verb: str, *arguments: Any, **named: Any) -> Any:
            return getattr(tokens, verb)(*arguments, **named)

        def on_a_loop(tokens: Tokens, verb: str, *arguments: Any, **named: Any) -> Any:
            async def main() -> Any:
                try:
                    return await getattr(tokens, f"{verb}_async")(*arguments, **named)
                finally:
                    repository = getattr(place.store, "repository", None)
                    if repository is not None:
                        await repository.mongo.close_async()

            return asyncio.run(main())

        return on_a_loop if request.param == "async" else sync

    def test_from_its_issue_to_its_revocation(self, place: TokenPlace, call: Any) -> None:
        tokens, elsewhere = place.tokens(), place.tokens(cache=0)
        issued = call(tokens, "issue", "ann", ["acme", "globex"], expires_in=60, claims=CLAIMS, name="laptop")
        expected = Identity("ann", ("acme", "globex"), CLAIMS, issued.id)
        assert call(tokens, "authenticate", issued.token) == call(elsewhere, "authenticate", issued.token) == expected
        assert call(tokens, "authenticate", issued.token[:-1] + "?") is None
        assert call(tokens, "authenticate", "jn_" + "0" * 16 + issued.token[19:]) is None
        [listed] = call(tokens, "list", user="ann")
        assert (listed.name, listed.tenants, listed.claims) == ("laptop", ("acme", "globex"), CLAIMS)
        assert (listed.expires_at, listed.revoked_at) == (issued.expires_at, None)
        assert listed.created_at == listed.last_used_at is not None
        assert call(tokens, "revoke", issued.id) is True
        assert call(tokens, "revoke", issued.id) is False
        assert call(tokens, "authenticate", issued.token) is call(elsewhere, "authenticate", issued.token) is None
        assert call(tokens, "list")[0].revoked_at == listed.created_at

    def test_it_expires_by_the_clock_whatever_the_store_still_has(self, place: TokenPlace, call: Any) -> None:
        tokens = place.tokens(cache=0)
        issued = call(tokens, "issue", "ann", expires_in=5)
        place.clock.pass_(4.9)
        assert call(tokens, "authenticate", issued.token) is not None
        place.clock.pass_(0.1)
        assert call(tokens, "authenticate", issued.token) is None

    def test_a_rotation_with_a_grace_time(self, place: TokenPlace, call: Any) -> None:
        tokens = place.tokens(cache=0)
        old = call(tokens, "issue", "ann", ["acme"], expires_in=None, claims=CLAIMS, name="laptop")
        new = call(tokens, "rotate", old.id, grace=60)
        assert new.expires_at is None
        assert call(tokens, "authenticate", new.token) == Identity("ann", ("acme",), CLAIMS, new.id)
        assert call(tokens, "authenticate", old.token) is not None
        with pytest.raises(TokenNotValid, match="was rotated before"):
            call(tokens, "rotate", old.id)
        place.clock.pass_(60)
        assert call(tokens, "authenticate", old.token) is None
        assert call(tokens, "authenticate", new.token) is not None
        replaced = {one.id: one.replaced_by for one in call(tokens, "list", tenant="acme")}
        assert replaced == {old.id: new.id, new.id: None}

    def test_it_is_found_and_ended_by_its_user_and_each_of_its_tenants(self, place: TokenPlace, call: Any) -> None:
        tokens = place.tokens(cache=0)
        names = [("ann", ["acme"]), ("ann", ["acme", "globex"]), ("bob", ["globex"]), (None, ["globex", "initech"])]
        ids = []
        for user, tenants in names:
            ids.append(call(tokens, "issue", user, tenants, expires_in=60).id)
            place.clock.pass_(0.001)

        def found(**whose: str) -> list[int]:
            return [ids.index(one.id) for one in call(tokens, "list", **whose)]

        assert found() == [0, 1, 2, 3]
        assert (found(user="ann"), found(user="eve")) == ([0, 1], [])
        assert (found(tenant="acme"), found(tenant="globex"), found(tenant="initech")) == ([0, 1], [1, 2, 3], [3])
        assert (found(user="ann", tenant="globex"), found(user="bob", tenant="acme")) == ([1], [])
        assert call(tokens, "revoke_all", user="ann", tenant="globex") == 1
        assert call(tokens, "revoke_all", tenant="globex") == 2
        assert call(tokens, "revoke_all", user="ann") == 1
        assert call(tokens, "revoke_all", user="ann") == call(tokens, "revoke_all", user="eve") == 0
        assert all(one.revoked_at is not None for one in call(tokens, "list"))

    def test_the_last_use_is_written_once_in_a_while(self, place: TokenPlace, call: Any) -> None:
        tokens = place.tokens(cache=0, last_used_every=60)
        issued = call(tokens, "issue", "ann", expires_in=None)
        begin, seen = place.clock.now, []
        for _ in range(4):
            call(tokens, "authenticate", issued.token)
            seen.append(round((call(tokens, "list")[0].last_used_at - begin).total_seconds()))
            place.clock.pass_(30)
        assert seen == [0, 0, 60, 60]

    @pytest.mark.parametrize("value", ["", 7, {"$ne": None}, ["ann"], "\ud800"])
    def test_a_name_that_is_none_finds_and_ends_nothing(self, place: TokenPlace, call: Any, value: Any) -> None:
        tokens = place.tokens(cache=0)
        issued = call(tokens, "issue", "ann", ["acme"], expires_in=60)
        for whose in ({"user": value}, {"tenant": value}):
            for verb in ("list", "revoke_all"):
                with pytest.raises(InvalidRequest):
                    call(tokens, verb, **whose)
        with pytest.raises(InvalidRequest):
            call(tokens, "issue", value, expires_in=60)
        for verb in ("revoke", "rotate"):
            if not isinstance(value, str):
                with pytest.raises(InvalidRequest):
                    call(tokens, verb, value)
        assert call(tokens, "authenticate", issued.token) is not None
