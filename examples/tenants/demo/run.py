"""The demonstration itself, step by step."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from adapters.mongo import ClusterUnavailable, sync_indexes
from examples.tenants.demo import crossing
from examples.tenants.demo.databases import Databases, Unreachable
from examples.timeline import Timeline, listen, play
from router import ConfigurationError, Session
from router.testing import Answer, TestClient, samples

ANN = Session(tenant="acme", user="ann")
BOB = Session(tenant="globex", user="bob")
TENANTS = {"acme": 8, "globex": 100, "initech": 100}  # with the most notes that each may have
URI = "MONGODB_URI"
_TTL = "expires_at_1"
READING = {
    "examples/tenants/app.py": "the application: each route, and why it is so",
    "docs/mongodb.md": "repositories, tenants, tokens, indexes, queries",
    "docs/authentication.md": "tokens and JWTs, for users, tenants and services",
}


class Demo:
    """Plays the clients, the queue and Fargate; the application, its calls and its database are real."""

    def __init__(self, databases: Databases, timeline: Timeline) -> None:
        # As in Lambda, the environment is there before the application is imported.
        from examples.tenants import app, onboard, storage

        self.app, self.onboard, self.storage = app, onboard, storage
        self.client = TestClient(app.resolver)
        self.databases = databases
        self.timeline = timeline
        self.of_tenants = {tenant: databases.of(tenant) for tenant in TENANTS}
        self.tokens: dict[str, str] = {}
        self.first: dict[str, Any] = {}
        self.attempts = 0

    def run(self) -> None:
        """All steps in order. Raises Mismatch at the first check that fails."""
        self.add_tenants()
        self.issue_tokens()
        self.write_notes()
        self.read_pages()
        self.edit_twice()
        self.delete_and_restore()
        self.import_notes()
        self.reach_the_quota()
        self.administrate()
        self.query()
        self.try_to_cross()
        self.revoke()
        self.look_into_the_databases()

    def check(self, what: str, came: object, expected: object) -> None:
        """See Timeline.check."""
        self.timeline.check(what, came, expected)

    def ask(self, method: str, path: str, token: str | None, body: Any = None, **headers: str) -> Answer:
        """A request with a token. Raises Unreachable when the application says that its database is."""
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        answer = self.client.request(method, path, json=body, headers=headers)
        if answer.status == 503:
            raise Unreachable(f"the MongoDB at {self.databases.hosts} answers no more")
        return answer

    def as_(self, user: str, method: str, path: str, body: Any = None) -> Answer:
        """A request of one of the users."""
        return self.ask(method, path, self.tokens[user], body)

    # ---- the steps ---------------------------------------------------------------------------------------------

    def add_tenants(self) -> None:
        """Tenants first, then the indexes in all their databases at once."""
        self.timeline.step("Three tenants; junction indexes makes the indexes in the database of each")
        for tenant, most_notes in TENANTS.items():
            self.onboard.add_tenant(tenant, most_notes)
        report = sync_indexes(self.storage.mongo)
        for change in report.changes:
            self.timeline.note(str(change))
        declared = sorted(index.name for index in self.storage.notes.indexes)
        for tenant, database in self.of_tenants.items():
            made = [change.index for change in report.changes if change.database == database]
            self.check(f"{tenant} has the indexes that are declared", sorted(made), declared)
        lacks_ttl = self.databases.server == "FerretDB"
        what = "nothing failed but the TTL index of tokens, which FerretDB lacks" if lacks_ttl else "nothing failed"
        self.check(what, [each.index for each in report.failures], [_TTL] if lacks_ttl else [])
        self.check("a second run has nothing to do", sync_indexes(self.storage.mongo).changes, ())

    def issue_tokens(self) -> None:
        """Each user gets a token; none of them can be read from the database."""
        self.timeline.step("Tokens for Ann and Ada of acme, and for Bob of globex")
        for user, tenant, role in (("ann", "acme", "member"), ("ada", "acme", "admin"), ("bob", "globex", "admin")):
            self.tokens[user] = self.onboard.issue_token(tenant, user, role)
        stored = str(self.databases.documents(self.databases.prefix, "tokens"))
        secrets = [token.partition(".")[2] for token in self.tokens.values()]
        self.check("the database holds no secret of them", [secret in stored for secret in secrets], [False] * 3)

    def write_notes(self) -> None:
        """Both tenants write, the same title among others."""
        self.timeline.step("Ann and Bob write notes over REST, each with a token and nothing else")
        made = [self.as_("ann", "POST", "/notes", {"title": f"note {number}"}) for number in range(1, 5)]
        self.check("Ann's four are made", [answer.status for answer in made], [201] * 4)
        self.first = made[0].json()
        stamps = {name: self.first[name] for name in ("created_by", "updated_by", "version")}
        self.check("stamped with her name", stamps, {"created_by": "ann", "updated_by": "ann", "version": 1})
        self.check("the same title again is refused", self.as_("ann", "POST", "/notes", self._again()).status, 409)
        self.check("in globex it is another title", self.as_("bob", "POST", "/notes", self._again()).status, 201)

    def _again(self) -> dict[str, Any]:
        return {"title": self.first["title"]}

    def read_pages(self) -> None:
        """By key: what is written in between moves nothing."""
        self.timeline.step("Pages of two, while Ann goes on writing")
        page = self.as_("ann", "GET", "/notes?size=2").json()
        self.as_("ann", "POST", "/notes", {"title": "note 5"})
        rest = self.as_("ann", "GET", f"/notes?size=2&after={page['next']}").json()
        titles = [note["title"] for note in page["notes"] + rest["notes"]]
        self.check("every note came once, the latest first", titles, ["note 4", "note 3", "note 2", "note 1"])
        self.check("there is no further page", rest["next"], None)

    def edit_twice(self) -> None:
        """Two who have read the same version."""
        self.timeline.step("Ann and Ada change the same note")
        path = f"/notes/{self.first['id']}"
        changed = self.as_("ada", "PUT", path, {"text": "by Ada", "version": 1})
        self.check("Ada was first", (changed.status, changed.json()["updated_by"]), (200, "ada"))
        late = self.as_("ann", "PUT", path, {"text": "by Ann", "version": 1})
        self.check("Ann is told that it was changed in the meantime", late.status, 409)
        self.check("and Ada's change is still there", self.as_("ann", "GET", path).json()["text"], "by Ada")

    def delete_and_restore(self) -> None:
        """Into the trash and out of it."""
        self.timeline.step("Ann deletes a note and takes it back")
        path = f"/notes/{self.first['id']}"
        self.check("it is deleted", self.as_("ann", "DELETE", path).status, 204)
        self.check("it is there no more", self.as_("ann", "GET", path).status, 404)
        restored = self.as_("ann", "POST", f"{path}/restore")
        self.check("it is back as it was", (restored.status, restored.json()["text"]), (200, "by Ada"))

    def import_notes(self) -> None:
        """Messages of two users of two tenants in one batch, each with its own signed session."""
        self.timeline.step("A batch with messages of Ann and Bob, one of them twice, and one of nobody")
        policy = self.app.resolver.session_policy
        messages = [(ANN, "from the queue"), (BOB, "from the queue"), (ANN, "from the queue"), (BOB, "another")]
        records = [
            samples.sqs_record("notes-import", {"title": title}, session=policy.issue(who), position=position)
            for position, (who, title) in enumerate(messages)
        ]
        unsigned = samples.sqs_record("notes-import", {"title": "forged"}, session=ANN.to_dict(), position=9)
        answer = self.client.event({"Records": [*records, unsigned]})
        failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        self.check("only the message that nobody signed failed", failed, [unsigned["messageId"]])
        for user, titles in (("ann", {"from the queue"}), ("bob", {"from the queue", "another"})):
            listed = self.as_(user, "GET", f"/notes?by={user}").json()["notes"]
            imported = {note["title"] for note in listed if not note["title"].startswith("note ")}
            self.check(f"{user}'s are in the notes of {user}'s tenant, under that name", imported, titles)

    def reach_the_quota(self) -> None:
        """acme may have eight notes, and has six."""
        self.timeline.step(f"acme may have {TENANTS['acme']} notes")
        statuses = [self.as_("ann", "POST", "/notes", {"title": f"note {number}"}).status for number in range(6, 9)]
        self.check("one too many is refused", statuses, [201, 201, 429])
        answer = self.client.queue("notes-import", [{"title": "too many"}], session=ANN)
        self.check("on the queue it is let go: another try would not help", answer, {"batchItemFailures": []})
        self.check("globex is not concerned", self.as_("bob", "POST", "/notes", {"title": "note 2"}).status, 201)

    def administrate(self) -> None:
        """Administrators of the tenant see more, and a task empties the trash."""
        self.timeline.step("Ada is an administrator of acme; a Fargate task empties the trash")
        self.check("Ann is none", self.as_("ann", "GET", "/admin/summary").status, 403)
        self.as_("ann", "DELETE", f"/notes/{self.first['id']}")
        before = {"notes": {"ann": 7}, "trash": 1, "places_taken": 8}
        self.check("Ada sees what there is", self.as_("ada", "GET", "/admin/summary").json(), before)
        self.check("the task ends with exit code 0", self.client.task("empty-trash", session=ANN), 0)
        after = {"notes": {"ann": 7}, "trash": 0, "places_taken": 7}
        self.check("there is room for another note", self.as_("ada", "GET", "/admin/summary").json(), after)
        self.check("and it is taken", self.as_("ann", "POST", "/notes", {"title": "at last"}).status, 201)

    def query(self) -> None:
        """Queries of the client's own, over what is open to them."""
        self.timeline.step("Queries from outside, in the database of whoever asks")
        found = {"collection": "notes", "filter": {"title": {"$in": ["note 2", "at last"]}}, "projection": ["title"]}
        for user, titles in (("ann", ["at last", "note 2"]), ("bob", ["note 2"])):
            items = self.as_(user, "POST", "/query", found).json()["items"]
            self.check(f"{user} finds {' and '.join(titles)}", sorted(item["title"] for item in items), titles)
        counted = {"collection": "notes", "pipeline": [{"$group": {"_id": "$created_by", "notes": {"$sum": 1}}}]}
        grouped = self.as_("bob", "POST", "/query", counted).json()
        self.check("Bob counts Bob's, and nobody else's", grouped, [{"_id": "bob", "notes": 4}])

    def try_to_cross(self) -> None:
        """Everything by which somebody could hope to get at another tenant's notes."""
        notes = self.as_("ann", "GET", "/notes?size=2").json()
        note, page = notes["notes"][0]["id"], notes["next"]
        traversing, unknown = (self.onboard.issue_token(tenant, "eve") for tenant in ("../admin", "umbrella"))
        ann, bob = self.tokens["ann"], self.tokens["bob"]
        self.refused("Attempts with tokens", crossing.by_token(ann, traversing, unknown))
        self.refused("Attempts with ids", crossing.by_id(bob, note, page))
        self.refused("Attempts with operators", crossing.by_operators(bob))
        self.refused("Attempts with queries", crossing.by_queries(bob, self.databases.of("acme")))
        self.check("Ann's note is as it was", self.as_("ann", "GET", f"/notes/{note}").json(), notes["notes"][0])

    def refused(self, what: str, attempts: Iterable[crossing.Attempt]) -> None:
        """Each of these has to be refused."""
        self.timeline.step(what)
        for each in attempts:
            answer = self.ask(each.method, each.path, each.token, each.body, **each.headers)
            self.check(f"{each.what}: {each.status}", answer.status, each.status)
            self.attempts += 1

    def revoke(self) -> None:
        """A token that ends before its time."""
        self.timeline.step("Bob's token is revoked")
        self.check("it was valid until now", self.storage.tokens.revoke_all(user="bob"), 1)
        self.check("Bob is out", self.as_("bob", "GET", "/notes").status, 401)
        self.check("Ann is not", self.as_("ann", "GET", "/notes").status, 200)

    def look_into_the_databases(self) -> None:
        """Past the application and the library: where every document really is."""
        self.timeline.step("With the driver alone: every document is in the database of its tenant")
        wanted = sorted([self.databases.prefix, *self.of_tenants.values()])
        self.check("there are the platform's and the tenants' databases, and no others", self.databases.names(), wanted)
        ann = ["at last", "from the queue", *(f"note {number}" for number in range(2, 8))]
        bob = ["another", "from the queue", "note 1", "note 2"]
        expected = {"acme": [("ann", each) for each in ann], "globex": [("bob", each) for each in bob], "initech": []}
        for tenant, database in self.of_tenants.items():
            documents = self.databases.documents(database, "notes")
            written = sorted((document["created_by"], document["title"]) for document in documents)
            authors = sorted({author for author, _ in expected[tenant]})
            what = f"{len(written)} notes of {', '.join(authors)}" if authors else "no notes"
            self.check(f"{database} holds {what}", written, expected[tenant])
        self.check("the platform's holds none", self.databases.documents(self.databases.prefix, "notes"), [])
        self.timeline.note(f"{self.attempts} attempts to get at another tenant's notes were refused")


def main() -> int:
    """Run the demonstration, and return the exit status: see `play`; also 1 where the server does not answer."""
    timeline = Timeline()
    # The audit log is shown as it is written; what the library logs of failures only if a check fails.
    listen({"tenants.audit": timeline, "router": timeline.library, "adapters": timeline.library})
    try:
        return play(timeline, lambda: _run(timeline), READING)
    except (Unreachable, ClusterUnavailable, ConfigurationError) as error:
        timeline.stopped(str(error))
        return 1


def _run(timeline: Timeline) -> None:
    with Databases(os.environ.get(URI, "")) as databases:
        os.environ |= databases.environment()
        timeline.title(
            "Junction: examples/tenants",
            f"Notes of three tenants on {databases.server} at {databases.hosts}, a database for each.",
            "Each line below is an event that the function handled; ok is a check.",
        )
        Demo(databases, timeline).run()
    timeline.note(f"the databases {databases.prefix}* are dropped")
