"""Tokens in a table under what a network and others do: lost answers, and many at once. MiniStack takes turns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from adapters.aws import Aws
from adapters.tokens import DynamoDBTokenStore, TokenNotValid, Tokens
from tests.integration.adapters.lossy import Lossy
from tests.integration.adapters.places import aws_of
from tests.servers.ministack import MiniStack

numbers = count()


@pytest.fixture
def wire(ministack: MiniStack) -> Iterator[Lossy]:
    with Lossy(ministack.url) as wire:
        yield wire


@pytest.fixture
def aws(ministack: MiniStack, wire: Lossy) -> Iterator[Aws]:
    aws = aws_of(ministack, endpoint=wire.url)
    yield aws
    aws.close()


@pytest.fixture
def tokens(aws: Aws) -> Tokens:
    store = DynamoDBTokenStore(aws, table=f"tokens-{next(numbers)}")
    store.create_table()
    return Tokens(store, cache=0)


both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@both
def test_a_rotation_whose_answer_is_lost_gives_the_new_token(tokens: Tokens, wire: Lossy, is_async: bool) -> None:
    old = tokens.issue("ann", ["acme"], expires_in=60)
    wire.lose(b".UpdateItem")
    new = asyncio.run(tokens.rotate_async(old.id)) if is_async else tokens.rotate(old.id)
    assert wire.lost == 1
    assert tokens.authenticate(new.token) is not None
    assert tokens.authenticate(old.token) is None


@both
def test_a_revocation_whose_answer_is_lost_is_told_as_done(tokens: Tokens, wire: Lossy, is_async: bool) -> None:
    issued, other = tokens.issue("ann", expires_in=60), tokens.issue("ann", expires_in=60)
    wire.lose(b".UpdateItem")
    assert (asyncio.run(tokens.revoke_async(issued.id)) if is_async else tokens.revoke(issued.id)) is True
    wire.lose(b".UpdateItem")
    assert tokens.revoke_all(user="ann") == 1
    assert wire.lost == 2
    assert tokens.authenticate(issued.token) is tokens.authenticate(other.token) is None


def test_one_of_many_rotations_at_once_gives_a_token(tokens: Tokens) -> None:
    old = tokens.issue("ann", expires_in=60)

    def rotate(_: int) -> str | None:
        try:
            return tokens.rotate(old.id, grace=30).id
        except TokenNotValid:
            return None

    with ThreadPoolExecutor(8) as pool:
        won = [id for id in pool.map(rotate, range(16)) if id is not None]
    assert len(won) == 1
    assert {one.id for one in tokens.list() if one.revoked_at is None} == {old.id, *won}


def test_a_token_is_issued_once_when_the_answer_is_lost(tokens: Tokens, wire: Lossy) -> None:
    wire.lose(b".TransactWriteItems")
    issued = tokens.issue("ann", ["acme"], expires_in=60)
    assert wire.lost == 1
    assert tokens.authenticate(issued.token) is not None
    assert [one.id for one in tokens.list(tenant="acme")] == [issued.id]
