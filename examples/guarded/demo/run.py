"""The demonstration itself, step by step."""

from __future__ import annotations

import json
import logging
import os
import time
from typing import Any

from examples.delivery import QueueMapping, as_delivered
from examples.guarded.demo.cloud import Cloud
from examples.guarded.demo.issuer import Issuer
from examples.local_aws import isolate
from examples.timeline import Timeline, listen, play
from router.testing import Answer, Context, TestClient

TEA = {"account": "DE89370400440532013000", "cents": 450}
READING = {
    "examples/guarded/app.py": "the application: each guard, and why it is so",
    "docs/authentication.md": "credentials, tokens, keys",
    "docs/idempotency.md": "what happens once, and what that costs",
}


class Demo:
    """Play the clients and the queue; the application, its calls and its tokens are real."""

    def __init__(self, cloud: Cloud, issuer: Issuer, timeline: Timeline, usage: UsageLines, log: LogLines) -> None:
        # As in Lambda, the environment is there before the application is imported.
        from examples.guarded import app
        from examples.guarded.bank import bank
        from examples.guarded.services import to_the_bank

        self.app, self.bank, self.breaker = app, bank, to_the_bank
        self.log = log
        self.client = TestClient(app.resolver)
        self.cloud = cloud
        self.timeline = timeline
        self.usage = usage
        self.queue = QueueMapping(cloud.aws, cloud.queue_url, cloud.queue_arn, self.invoke)
        self.ann = f"Bearer {issuer.token('ann', 'acme')}"
        self.boss = f"Bearer {issuer.token('boss', 'acme', role='admin')}"
        self.bob = f"Bearer {issuer.token('bob', 'globex')}"
        self.expired = f"Bearer {issuer.token('ann', 'acme', exp=1)}"
        self.payment_id = ""
        self.invoked: list[Any] = []

    def run(self) -> None:
        """Run all steps in order. Raises Mismatch at the first check that fails."""
        self.let_in()
        self.validate()
        self.pay_once()
        self.settle_once()
        self.read()
        self.refuse()
        self.use_a_key()
        self.limit()
        self.account_for()

    def invoke(self, payload: Any) -> Any:
        """Invoke the function as Lambda does."""
        self.invoked.append(payload)
        return as_delivered(self.app.handler(as_delivered(payload), Context()))

    def check(self, what: str, came: object, expected: object) -> None:
        """See Timeline.check."""
        self.timeline.check(what, came, expected)

    def pay(self, who: str, payment: dict[str, Any], **headers: str) -> Answer:
        """Ask for a payment, as the bearer of a token."""
        return self.client.post("/payments", json=payment, headers={"Authorization": who, **headers})

    # ---- the steps ---------------------------------------------------------------------------------------------

    def let_in(self) -> None:
        """Ask without a credential, and with bad ones."""
        self.timeline.step("Who may call")
        self.check("anybody may ask whether it runs", self.client.get("/health").status, 200)
        nobody = self.client.post("/payments", json=TEA)
        self.check("nobody pays without a credential", nobody.status, 401)
        self.check(
            "the answer says which will do", nobody.headers["www-authenticate"], 'Bearer, ApiKey header="x-api-key"'
        )
        self.check("nor with one that has expired", self.pay(self.expired, TEA).status, 401)
        header, _, rest = self.ann.partition(".")
        self.check("nor with one that somebody changed", self.pay(f"{header}x.{rest}", TEA).status, 401)
        self.check("a large payment needs an administrator", self.pay(self.ann, {**TEA, "cents": 500_000}).status, 403)
        self.check("who has the role may", self.pay(self.boss, {**TEA, "cents": 500_000}).status, 202)

    def validate(self) -> None:
        """Send what does not fit the schema."""
        self.timeline.step("With what")
        answer = self.pay(self.ann, {"account": "12", "cents": 0})
        self.check(
            "each fault has its place",
            {fault["at"] for fault in answer.json()["errors"]},
            {"body.account", "body.cents"},
        )
        self.check("no value is told", "12" in answer.text, False)
        self.check("a body of 20 KB is refused unread", self.pay(self.ann, {**TEA, "note": "x" * 20_000}).status, 413)

    def pay_once(self) -> None:
        """Send the same request twice, as a client does whose connection broke."""
        self.timeline.step("How often: a request that is sent twice")
        key = {"Idempotency-Key": "tea-1"}
        first, again = self.pay(self.ann, TEA, **key), self.pay(self.ann, TEA, **key)
        self.check("both get the same answer", (again.status, again.json()), (202, first.json()))
        other = self.pay(self.ann, {**TEA, "cents": 1}, **key)
        self.check("another body under the key is refused", other.status, 422)
        self.payment_id = first.json()["payment_id"]

    def settle_once(self) -> None:
        """Work off the queue while the bank is down, then while it is up, and deliver a message twice."""
        self.timeline.step("How often: messages, while the bank is down and up again")
        self.pay(self.ann, TEA)
        self.bank.down = True
        self.check("while the bank is down the messages fail", len(self.queue.poll(wait_s=5)), 3)
        self.check("after two failures nobody asked it", self.bank.asked, 2)
        [alert] = self.cloud.received(self.cloud.alerts_url)
        alerted = alert["error"].rpartition(".")[2], alert["route"]
        self.check("an alert says what failed, and where", alerted, ("BankDown", "sqs settlements"))
        self.bank.down = False
        while self.breaker.state == "open":
            time.sleep(0.05)
        failed = list[str]()
        while len(self.bank.transfers) < 3 and not failed:  # the one that was to come later is not there at once
            failed = self.queue.poll(wait_s=5)
        self.check("when it is up none fails", failed, [])
        self.invoke(self.invoked[-1])
        paid = [reference for _, _, reference in self.bank.transfers]
        self.check("each is paid once, also when it is delivered again", (len(paid), len(set(paid))), (3, 3))
        line = self.log.lines[-1]
        fields = {name: line.get(name) for name in ("message", "route", "tenant")}
        self.check("the log says whose", fields, {"message": "settled", "route": "sqs settlements", "tenant": "acme"})

    def read(self) -> None:
        """Read the payment, as its owner and as another tenant."""
        self.timeline.step("Ann reads it; Bob is of another tenant")
        path = f"/payments/{self.payment_id}"
        first = self.client.get(path, headers={"Authorization": self.ann})
        self.check("it is settled", (first.status, first.json()["status"]), (200, "settled"))
        again = self.client.get(path, headers={"Authorization": self.ann, "If-None-Match": first.headers["etag"]})
        self.check("who has it already gets no body", (again.status, again.body), (304, b""))
        self.check("for Bob there is none", self.client.get(path, headers={"Authorization": self.bob}).status, 404)

    def refuse(self) -> None:
        """Pay to an account that is blocked."""
        self.timeline.step("An error with a code of the application's own")
        answer = self.pay(self.ann, {**TEA, "account": "XX0000"})
        self.check("clients see the code", (answer.status, answer.json()["code"]), (409, "P0007"))

    def use_a_key(self) -> None:
        """Issue a key for a machine, and use it."""
        self.timeline.step("A key for a machine")
        self.check("Ann may not issue one", self.client.post("/keys", headers={"Authorization": self.ann}).status, 403)
        issued = self.client.post("/keys", headers={"Authorization": self.boss}).json()
        stored = json.dumps(self.cloud.aws.call("dynamodb", "scan", TableName="keys"), default=str)
        self.check("the table does not know the key", issued["key"] in stored, False)
        key = {"x-api-key": issued["key"]}
        answer = self.client.post("/payments", json=TEA, headers=key)
        self.check("a machine has to say what it pays for", answer.json()["errors"][0]["at"], "body.note")
        answer = self.client.post("/payments", json={**TEA, "note": "tea"}, headers=key)
        self.check("then it may pay", answer.status, 202)

    def limit(self) -> None:
        """Ask more often than a user may."""
        self.timeline.step("How often: a user who asks too much")
        statuses = [self.client.get("/payments/none", headers={"Authorization": self.bob}).status for _ in range(25)]
        self.check("Bob is slowed down", statuses[-1], 429)
        answer = self.client.get(f"/payments/{self.payment_id}", headers={"Authorization": self.ann})
        self.check("Ann is not", answer.status, 200)

    def account_for(self) -> None:
        """Ask the table of usage who did what."""
        self.timeline.step("What was used, by whom, and what it cost")
        rows = self.cloud.aws.call("dynamodb", "scan", TableName="usage")["Items"]
        self.check("each request and message has a row", len(rows), len(self.usage.rows))
        users = {row["user"]["S"] for row in rows if row["account"]["S"] == "acme" and "user" in row}
        self.check("Ann's tenant had three users", users, {"ann", "boss", "machine"})
        refused = sum(row["outcome"]["S"] == "refused" for row in rows)
        self.check("refusals are counted, too", refused > 5, True)


class LogLines(logging.Handler):
    """Keep the lines of the application's log with their fields, as Lambda would write them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        text = self.format(record)
        if text.startswith("{"):
            self.lines.append(json.loads(text))


class UsageLines(logging.Handler):
    """Print the rows of usage, which are logged one on each line."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self.timeline = timeline
        self.rows: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take the rows of one call of the function."""
        for text in record.getMessage().splitlines():
            row = json.loads(text)
            self.rows.append(row)
            line = {
                "source": row["event_source"].lower(),
                "route": row["endpoint"],
                "tenant": row["account"].strip("()") if row["user"] else "",
                "user": row["user"],
                "attempt": row["attempt"],
                "ms": row["duration_ms"],
                "outcome": row["status"] or row["outcome"],
            }
            self.timeline.add(json.dumps(line))


def main() -> int:
    """Run the demonstration, and return the exit status: see `play`."""
    timeline = Timeline()
    usage, log = UsageLines(timeline), LogLines()
    listen({"payments.usage": usage, "router": timeline.library})
    logging.getLogger().addHandler(log)  # in the place of Lambda's own
    isolate()
    return play(timeline, lambda: _run(timeline, usage, log), READING)


def _run(timeline: Timeline, usage: UsageLines, log: LogLines) -> None:
    with Cloud() as cloud, Issuer() as issuer:
        os.environ["AWS_ENDPOINT_URL"] = cloud.url
        cloud.parameter("OIDC_ISSUER", issuer.url)
        timeline.title(
            "Junction: examples/guarded",
            "A payment service with every guard, as one Lambda function.",
            f"Its calls go to a mock of AWS in memory ({cloud.url}),",
            f"its tokens are of an issuer on this machine ({issuer.url}).",
            "Each line below is a row of usage; ok is a check.",
        )
        Demo(cloud, issuer, timeline, usage, log).run()
