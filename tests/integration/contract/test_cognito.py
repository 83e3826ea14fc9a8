"""What the adapter relies on of Cognito's user pools."""

from __future__ import annotations

import asyncio

import pytest

from adapters.aws import Aws
from adapters.cognito import (
    AppClient,
    Challenge,
    PasswordRefused,
    SignInFailed,
    UserExists,
    UserNotFound,
    UserPool,
    UserTokens,
)
from adapters.errors import AdapterError

PASSWORD = "Correct-horse-7"
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


@pytest.fixture
def pool(aws: Aws, new_name) -> UserPool:
    made = aws.call("cognito-idp", "create_user_pool", PoolName=new_name(), AutoVerifiedAttributes=["email"])
    return UserPool(aws, pool=made["UserPool"]["Id"])


@pytest.fixture(params=[False, True], ids=["public", "secret"])
def client(pool: UserPool, request) -> AppClient:
    made = pool.aws.call(
        "cognito-idp",
        "create_user_pool_client",
        UserPoolId=pool.pool,
        ClientName="app",
        GenerateSecret=request.param,
        ExplicitAuthFlows=FLOWS,
    )["UserPoolClient"]
    return AppClient(pool.aws, client_id=made["ClientId"], secret=made.get("ClientSecret"))


def test_a_user_is_created_read_changed_and_deleted(pool):
    made = pool.create("ann", {"email": "ann@example.com"}, notify=False)
    assert (made.username, made.status, made.enabled) == ("ann", "FORCE_CHANGE_PASSWORD", True)
    pool.update("ann", {"email": "ann@example.org", "name": "Ann"})
    held = pool.get("ann")
    assert held.id == made.id != ""
    assert (held.attributes["email"], held.attributes["name"]) == ("ann@example.org", "Ann")
    assert held.created is not None
    with pytest.raises(UserExists) as caught:
        pool.create("ann")
    assert caught.value.status == 409
    pool.delete("ann")
    with pytest.raises(UserNotFound):
        pool.get("ann")


def test_a_disabled_user_does_not_sign_in(pool, client):
    pool.create("ann", notify=False)
    pool.set_password("ann", PASSWORD)
    pool.disable("ann")
    assert not pool.get("ann").enabled
    with pytest.raises(SignInFailed):
        client.sign_in("ann", PASSWORD)
    pool.enable("ann")
    assert isinstance(client.sign_in("ann", PASSWORD), UserTokens)


def test_groups(pool):
    pool.create("ann", notify=False)
    for group in ("admins", "buyers"):
        pool.aws.call("cognito-idp", "create_group", GroupName=group, UserPoolId=pool.pool)
        pool.add_to_group("ann", group)
    pool.add_to_group("ann", "admins")
    assert sorted(pool.groups("ann")) == ["admins", "buyers"]
    pool.remove_from_group("ann", "admins")
    assert pool.groups("ann") == ["buyers"]
    assert [user.username for user in pool.users(group="buyers")] == ["ann"]
    assert list(pool.users(group="admins")) == []
    with pytest.raises(AdapterError) as caught:
        pool.add_to_group("ann", "nobody")
    assert caught.value.code == "ResourceNotFoundException"


def test_users_come_page_by_page(pool):
    names = {f"user-{number:02}" for number in range(7)}
    for name in names:
        pool.create(name, {"email": f"{name}@example.com"}, notify=False)
    seen, token = [], None
    while True:
        page = pool.page(limit=3, token=token)
        assert len(page.users) <= 3
        seen += [user.username for user in page.users]
        token = page.token
        if token is None:
            break
    assert sorted(seen) == sorted(names)
    assert {user.username for user in pool.users()} == names
    found = pool.page(filter='email = "user-03@example.com"').users
    assert [user.attributes["email"] for user in found] == ["user-03@example.com"]


def test_a_user_signs_up_and_in_and_stays_in(pool, client):
    signed_up = client.sign_up("ann", PASSWORD, {"email": "ann@example.com"})
    assert (signed_up.confirmed, signed_up.id) == (False, pool.get("ann").id)
    with pytest.raises(UserExists):
        client.sign_up("ann", PASSWORD)
    with pytest.raises(SignInFailed) as caught:
        client.sign_in("ann", PASSWORD)
    assert caught.value.code == "UserNotConfirmedException"
    pool.confirm("ann")
    tokens = client.sign_in("ann", PASSWORD)
    assert isinstance(tokens, UserTokens)
    assert tokens.access
    assert tokens.id
    assert tokens.refresh
    assert tokens.expires_in > 0
    assert tokens.access not in repr(tokens)
    assert tokens.refresh not in repr(tokens)
    again = client.refresh(tokens.refresh, username="ann")
    assert isinstance(again, UserTokens)
    assert again.access


def test_a_wrong_password_is_a_401_that_repeats_nothing(pool, client):
    pool.create("ann", notify=False)
    pool.set_password("ann", PASSWORD)
    for name, password in (("ann", "Wrong-horse-8"), ("bob-the-unknown", PASSWORD)):
        with pytest.raises(SignInFailed) as caught:
            client.sign_in(name, password)
        assert caught.value.status == 401
        for hidden in (password, "bob-the-unknown", client._secret or password):
            assert hidden not in f"{caught.value} {caught.value!r} {caught.value.__context__}"


@pytest.mark.parametrize("admin", [False, True], ids=["user", "admin"])
def test_a_first_password_is_replaced_by_a_challenge(pool, client, admin):
    if admin:
        client = AppClient(pool.aws, client_id=client.client_id, secret=client._secret, pool=pool.pool)
    pool.create("ann", temporary_password="Temporary-horse-1", notify=False)
    challenge = client.sign_in("ann", "Temporary-horse-1")
    assert isinstance(challenge, Challenge)
    assert challenge.name == "NEW_PASSWORD_REQUIRED"
    assert repr(challenge) == "Challenge(name='NEW_PASSWORD_REQUIRED')"
    assert isinstance(client.respond(challenge, {"NEW_PASSWORD": PASSWORD}), UserTokens)
    assert isinstance(client.sign_in("ann", PASSWORD), UserTokens)
    assert pool.get("ann").status == "CONFIRMED"


def test_a_weak_password_is_refused(pool, client):
    with pytest.raises(PasswordRefused) as caught:
        client.sign_up("ann", "short")
    assert "short" not in str(caught.value).replace("not long enough", "")


def test_async_verbs(pool, client):
    async def main() -> list[str]:
        await pool.create_async("ann", notify=False)
        await pool.set_password_async("ann", PASSWORD)
        assert isinstance(await client.sign_in_async("ann", PASSWORD), UserTokens)
        return [user.username async for user in pool.users_async()]

    assert asyncio.run(main()) == ["ann"]
