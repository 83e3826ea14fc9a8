"""The tenants example does what its comments say, on a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.mongo.document_errors import InvalidTenant
from router import Session, reset_session, set_session
from router.dispatch.loop import close_loop
from router.testing import Answer, TestClient, samples
from tests.servers.ferretdb import FerretDB
from tests.servers.process import wait_until

PREFIX = "examples_tenants"
MOST_NOTES = 5
ANN = Session(tenant="acme", user="ann")


@pytest.fixture(scope="module")
def example(ferretdb: FerretDB) -> Iterator[Any]:
    """The example's modules, with two tenants, their indexes and a token for each user."""
    ferretdb.drop_databases(PREFIX)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MONGODB_URI", ferretdb.uri)
        environment.setenv("NOTES_DATABASE", PREFIX)
        environment.setenv("SESSION_SECRET", "0123456789abcdef" * 4)
        from examples.tenants import admin, app, onboard, quota, storage
    from adapters.mongo import sync_indexes

    for tenant in ("acme", "globex"):
        onboard.add_tenant(tenant, MOST_NOTES)
    assert sync_indexes([storage.notes]).ok
    users = (("ann", "acme", "member"), ("ada", "acme", "admin"), ("bob", "globex", "viewer"))
    tokens = {user: onboard.issue_token(tenant, user, role) for user, tenant, role in users}
    yield SimpleNamespace(admin=admin, app=app, onboard=onboard, quota=quota, storage=storage, tokens=tokens)
    close_loop()
    storage.mongo.close()
    ferretdb.drop_databases(PREFIX)


@pytest.fixture(autouse=True)
def _no_notes(example: Any, ferretdb: FerretDB) -> None:
    with ferretdb.client() as client:
        for tenant in ("acme", "globex"):
            for collection in ("notes", "usage"):
                client[f"{PREFIX}_{tenant}"][collection].delete_many({})


class Client(TestClient):
    """Clients with the tokens of the users."""

    def __init__(self, example: Any) -> None:
        super().__init__(example.app.resolver)
        self.tokens = example.tokens

    def by(self, user: str, method: str, path: str, json: Any = None, **headers: str) -> Answer:
        headers["authorization"] = f"Bearer {self.tokens[user]}"
        return self.request(method, path, json=json, headers=headers)

    def add(self, title: str, user: str = "ann") -> Answer:
        return self.by(user, "POST", "/notes", {"title": title})

    def titles(self, user: str) -> list[str]:
        """Those of the user's tenant, in the order of the alphabet."""
        return sorted(note["title"] for note in self.by(user, "GET", "/notes").json()["notes"])

    def summary(self) -> Any:
        return self.by("ada", "GET", "/admin/summary").json()


@pytest.fixture
def client(example: Any) -> Client:
    return Client(example)


def outcomes(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str | None, Any]]:
    lines = [json.loads(record.message) for record in caplog.records if record.name == "tenants.audit"]
    return [(line["route"], line["user"], line["outcome"]) for line in lines]


# ---- notes ----------------------------------------------------------------------------------------------------------


def test_notes_belong_to_the_tenant(client: Client) -> None:
    added = client.add("buy milk")
    note = added.json()

    assert (added.status, note["created_by"], note["version"]) == (201, "ann", 1)
    assert client.by("ada", "GET", f"/notes/{note['id']}").json() == note
    assert client.titles("ada") == ["buy milk"]
    assert client.titles("bob") == []
    for method, body in (("GET", None), ("PUT", {"text": "mine", "version": 1}), ("DELETE", None)):
        assert client.by("bob", method, f"/notes/{note['id']}", body).status == 404
    assert client.by("bob", "POST", f"/notes/{note['id']}/restore").status == 404
    assert client.by("ann", "GET", f"/notes/{note['id']}").json() == note


def test_a_title_is_there_once_in_each_tenant_and_in_the_trash(client: Client) -> None:
    note = client.add("buy milk").json()

    assert client.add("buy milk", "bob").status == 201
    assert client.add("buy milk").status == 409
    client.by("ann", "DELETE", f"/notes/{note['id']}")
    assert client.add("buy milk").status == 409


def test_pages_go_on_where_the_page_before_ended(client: Client) -> None:
    for number in range(4):
        client.add(f"note {number}")
    first = client.by("ann", "GET", "/notes?size=3").json()
    client.add("in between")
    second = client.by("ann", "GET", f"/notes?size=3&after={first['next']}").json()

    assert [note["title"] for note in first["notes"]] == ["note 3", "note 2", "note 1"]
    assert ([note["title"] for note in second["notes"]], second["next"]) == (["note 0"], None)
    assert client.by("bob", "GET", f"/notes?size=3&after={first['next']}").status == 400
    assert client.by("ann", "GET", "/notes?by=ada").json() == {"notes": [], "next": None}


@pytest.mark.parametrize("size", ["0", "-1", "101", "many"])
def test_a_page_of_no_sensible_size_is_refused(client: Client, size: str) -> None:
    assert client.by("ann", "GET", f"/notes?size={size}").status in (400, 422)


def test_of_two_changes_to_one_version_the_second_is_refused(client: Client) -> None:
    path = f"/notes/{client.add('buy milk').json()['id']}"

    assert client.by("ada", "PUT", path, {"text": "two", "version": 1}).json()["version"] == 2
    assert client.by("ann", "PUT", path, {"text": "three", "version": 1}).status == 409
    note = client.by("ann", "GET", path).json()
    assert (note["text"], note["created_by"], note["updated_by"]) == ("two", "ann", "ada")


def test_what_is_deleted_can_be_restored_until_the_trash_is_emptied(client: Client) -> None:
    path = f"/notes/{client.add('buy milk').json()['id']}"

    assert client.by("ann", "DELETE", path).status == 204
    assert client.by("ann", "DELETE", path).status == 404
    assert (client.by("ann", "GET", path).status, client.titles("ann")) == (404, [])
    assert client.by("ann", "POST", f"{path}/restore").json()["title"] == "buy milk"
    client.by("ann", "DELETE", path)
    assert client.by("ada", "DELETE", "/admin/trash").json() == {"removed": 1}
    assert client.by("ann", "POST", f"{path}/restore").status == 404


@pytest.mark.parametrize("body", [{"title": " "}, {"title": {"$gt": ""}}, {}, ["buy milk"]])
def test_a_note_without_a_proper_title_is_told_to_the_client(client: Client, body: Any) -> None:
    assert client.by("ann", "POST", "/notes", body).status == 422
    assert client.summary()["places_taken"] == 0


def test_what_a_client_says_of_stamps_and_marks_does_not_count(client: Client) -> None:
    added = client.by("ann", "POST", "/notes", {"title": "a", "created_by": "bob", "deleted_at": "now", "version": 9})

    assert (added.status, client.titles("ann")) == (201, ["a"])
    assert (added.json()["created_by"], added.json()["version"]) == ("ann", 1)


# ---- who may come in ------------------------------------------------------------------------------------------------


def test_nothing_runs_without_a_user_and_a_tenant(client: Client, example: Any) -> None:
    forged = samples.sqs("notes-import", [{"title": "whose?"}], session=ANN.to_dict())

    assert client.get("/notes").status == 401
    assert client.get("/notes", headers={"x-tenant": "acme", "x-user": "ann"}).status == 401
    assert len(client.queue("notes-import", [{"title": "whose?"}])["batchItemFailures"]) == 1
    assert len(client.event(forged)["batchItemFailures"]) == 1
    assert client.task("empty-trash") != 0
    assert client.titles("ann") == []


def test_the_header_chooses_among_the_tenants_of_the_token(client: Client, example: Any) -> None:
    client.tokens = {
        **client.tokens,
        "cleo": example.storage.tokens.issue("cleo", ["acme", "globex"], expires_in=60).token,
    }
    client.add("of acme")
    client.add("of globex", "bob")

    def titles(tenant: str) -> list[str]:
        answer = client.by("cleo", "GET", "/notes", **{"x-tenant": tenant})
        return [note["title"] for note in answer.json()["notes"]]

    assert (titles("acme"), titles("globex")) == (["of acme"], ["of globex"])
    assert client.by("cleo", "GET", "/notes").status == 400
    assert client.by("cleo", "GET", "/notes", **{"x-tenant": "../admin"}).status == 403


def test_permissions_tell_administrators_from_others(client: Client) -> None:
    client.add("buy milk")

    assert client.by("ann", "GET", "/admin/summary").status == 403
    assert client.by("bob", "GET", "/admin/summary").status == 403
    assert client.by("bob", "DELETE", "/admin/trash").status == 403
    assert client.summary() == {"notes": {"ann": 1}, "trash": 0, "places_taken": 1}


def test_the_time_limit_answers_in_the_place_of_a_slow_handler(
    client: Client, example: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> int:
        return await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(example.admin, "taken", never)
    monkeypatch.setattr(example.admin.limit, "seconds", 0.05)
    answer = client.by("ada", "GET", "/admin/summary")

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


def test_the_audit_log_believes_only_what_a_token_says(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.add("buy milk")
    client.by("ann", "GET", "/notes/nonsense")
    client.get("/notes", headers={"x-tenant": "globex", "authorization": "Bearer forged"})
    client.queue("notes-import", [{"title": "one"}], session=ANN)

    assert outcomes(caplog) == [
        ("POST /notes", "ann", 201),
        ("GET /notes/{id}", "ann", 400),
        ("GET /notes", None, 401),
        ("notes-import", "ann", "done"),
    ]
    assert "globex" not in caplog.text
    assert "forged" not in caplog.text


# ---- queries --------------------------------------------------------------------------------------------------------


def test_a_filter_of_a_client_holds_values_and_no_operators(client: Client) -> None:
    client.add("a")
    client.add("b")
    client.add("c", "bob")

    def matching(body: Any) -> Answer:
        return client.by("ann", "POST", "/notes/matching", body)

    assert [note["title"] for note in matching({"title": "b"}).json()] == ["b"]
    assert matching({"created_by": "bob"}).json() == []
    hostile: list[Any] = [{"title": {"$ne": None}}, {"$where": "true"}, {"$or": [{}]}, {"no_field": 1}]
    for body in hostile:
        assert matching(body).status == 400


def test_a_query_of_a_client_stays_in_the_database_of_its_tenant(client: Client) -> None:
    client.add("a")
    client.add("b", "bob")
    client.by("bob", "DELETE", f"/notes/{client.add('deleted', 'bob').json()['id']}")

    def query(body: Any) -> Answer:
        return client.by("bob", "POST", "/query", {"collection": "notes", **body})

    found = query({"filter": {"title": {"$ne": "?"}}, "projection": ["title"]}).json()
    assert [note["title"] for note in found["items"]] == ["b"]
    counted = query({"pipeline": [{"$group": {"_id": "$created_by", "notes": {"$sum": 1}}}]})
    assert counted.json() == [{"_id": "bob", "notes": 1}]
    for hostile in ({"filter": {"$where": "true"}}, {"pipeline": [{"$out": "notes"}]}, {"projection": ["deleted_at"]}):
        assert query(hostile).status == 400


# ---- the queue and the quota ----------------------------------------------------------------------------------------


def test_one_call_takes_in_the_notes_of_one_session(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.queue("notes-import", [{"title": "one"}, {"title": "two"}], session=ANN)

    assert answer == {"batchItemFailures": []}
    assert client.titles("ann") == ["one", "two"]
    assert client.summary()["notes"] == {"ann": 2}
    assert outcomes(caplog)[0] == ("notes-import", "ann", "done")


def test_a_message_that_comes_twice_is_one_note(client: Client) -> None:
    for _ in range(2):
        assert client.queue("notes-import", [{"title": "one"}], session=ANN) == {"batchItemFailures": []}

    assert (client.titles("ann"), client.summary()["places_taken"]) == (["one"], 1)


def test_a_message_that_cannot_be_read_leaves_nothing_behind(client: Client) -> None:
    answer = client.queue("notes-import", [{"title": "kept?"}, {"title": ""}], session=ANN)

    assert len(answer["batchItemFailures"]) == 2
    assert (client.titles("ann"), client.summary()["places_taken"]) == ([], 0)


def test_the_quota_is_a_429_over_http_and_no_reason_to_retry_on_a_queue(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(MOST_NOTES):
        client.add(f"note {number}")

    caplog.clear()
    refused = client.add("one more")
    answer = client.queue("notes-import", [{"title": "one more"}], session=ANN)

    assert (refused.status, refused.json()["detail"]) == (429, "acme may have 5 notes")
    assert answer == {"batchItemFailures": []}
    assert outcomes(caplog) == [("POST /notes", "ann", 429), ("notes-import", "ann", "QuotaExceeded")]
    assert client.summary()["places_taken"] == MOST_NOTES
    assert client.add("of globex", "bob").status == 201


def test_a_place_that_was_not_used_goes_back(client: Client) -> None:
    client.add("buy milk")
    for _ in range(MOST_NOTES):
        assert client.add("buy milk").status == 409

    assert client.summary()["places_taken"] == 1


def test_an_emptied_trash_makes_room(client: Client) -> None:
    notes = [client.add(f"note {number}").json() for number in range(MOST_NOTES)]
    client.by("ann", "DELETE", f"/notes/{notes[0]['id']}")
    assert client.add("one more").status == 429

    assert client.task("empty-trash", session=ANN) == 0
    assert client.add("one more").status == 201
    assert client.summary() == {"notes": {"ann": MOST_NOTES}, "trash": 0, "places_taken": MOST_NOTES}


def test_the_last_place_is_taken_before_the_note_is_written(client: Client, example: Any) -> None:
    for number in range(MOST_NOTES - 1):
        client.add(f"note {number}")

    async def race() -> None:
        first, second = example.quota.Places("acme"), example.quota.Places("acme")
        await first.reserve(1)
        with pytest.raises(example.quota.QuotaExceeded):
            await second.reserve(1)
        await second.give_back()
        first.use()
        await first.give_back()

    token = set_session(ANN)
    asyncio.run(race())
    reset_session(token)
    assert client.summary()["places_taken"] == MOST_NOTES


# ---- around it ------------------------------------------------------------------------------------------------------


def test_a_new_customer_gets_a_token_for_an_administrator(
    client: Client,
    example: Any,
    ferretdb: FerretDB,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["onboard", "initech", "ivy"])
    assert example.onboard.main() == 0
    client.tokens = {**client.tokens, "ivy": capsys.readouterr().out.strip()}

    # The list of tenants may have been read within the last second.
    assert wait_until(lambda: client.by("ivy", "GET", "/notes").status == 200, timeout_s=5)
    assert client.by("ivy", "GET", "/admin/summary").json() == {"notes": {}, "trash": 0, "places_taken": 0}
    assert client.add("a", "ivy").status == 201
    with ferretdb.client() as driver:
        assert "title_1" in driver[f"{PREFIX}_initech"]["notes"].index_information()


def test_a_customer_whose_name_is_no_database_is_refused_and_not_kept(example: Any, ferretdb: FerretDB) -> None:
    with pytest.raises(InvalidTenant):
        example.onboard.add_tenant("../admin")
    with ferretdb.client() as driver:
        assert driver[PREFIX]["tenants"].find_one({"_id": "../admin"}) is None


def test_onboarding_says_how_it_is_used(
    example: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["onboard", "initech"])

    assert example.onboard.main() == 2
    assert "TENANT USER" in capsys.readouterr().err


def test_the_groups_give_their_routes_prefix_and_tags(example: Any) -> None:
    assert {(str(route), route.tags) for route in example.app.resolver.routes} == {
        ("POST /notes", ("notes",)),
        ("GET /notes", ("notes",)),
        ("GET /notes/{id}", ("notes",)),
        ("PUT /notes/{id}", ("notes",)),
        ("DELETE /notes/{id}", ("notes",)),
        ("POST /notes/{id}/restore", ("notes",)),
        ("POST /query", ("search",)),
        ("POST /notes/matching", ("search",)),
        ("GET /admin/summary", ("admin",)),
        ("DELETE /admin/trash", ("admin",)),
        ("sqs notes-import", ()),
        ("task empty-trash", ()),
    }
