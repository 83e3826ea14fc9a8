"""The demonstration itself, step by step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

from examples.delivery import QueueMapping, StreamMapping, as_delivered
from examples.local_aws import isolate
from examples.orders.demo.cloud import Cloud
from examples.orders.demo.resources import MOST_TRIES, VISIBILITY_TIMEOUT_S
from examples.orders.storage import UPLOADS
from examples.timeline import Timeline, listen, play
from router import Session
from router.testing import Context, samples

ANN = {"tenant": "acme", "user": "ann"}
BOB = {"tenant": "globex", "user": "bob"}
UNSOLD = "NotSold: unicorn"
PARTNER = "aws.partner/pay.example.com/shop"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names
READING = {
    "examples/orders/app.py": "the application: each route, and why it is so",
    "README.md": "ten minutes: your own first route, and its test",
    "docs/sessions.md": "whose work an event is, and who is believed",
}


class Demo:
    """Play the clients, API Gateway, the event source mappings and ECS; the application and its calls are real."""

    def __init__(self, cloud: Cloud, timeline: Timeline) -> None:
        # As in Lambda, the environment is there before the application is imported.
        from examples.orders import app

        self.handler = app.handler
        self.policy = app.resolver.session_policy
        self.cloud = cloud
        self.timeline = timeline
        resources = cloud.resources
        self.queue = QueueMapping(cloud.aws, resources.queue_url, resources.queue_arn, self.invoke)
        self.stream = StreamMapping(cloud.aws, resources.stream_arn, self.invoke)
        self.order_id = ""
        self.poison_id = ""
        self.bobs_id = ""

    def run(self) -> None:
        """Run all steps in order. Raises Mismatch at the first check that fails."""
        self.connect()
        self.upload_prices()
        self.place_orders()
        self.work_off_queue()
        self.read_stream()
        self.show_orders()
        self.retry_poison()
        self.run_task()
        self.take_payment()
        self.let_orders_expire()
        self.invoke_directly()
        self.disconnect()
        self.compare_correlation()

    def invoke(self, payload: Any) -> Any:
        """Invoke the function as Lambda does."""
        return as_delivered(self.handler(as_delivered(payload), Context()))

    def check(self, what: str, came: object, expected: object) -> None:
        """See Timeline.check."""
        self.timeline.check(what, came, expected)

    # ---- the steps ---------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Connect a client of each of the two tenants."""
        self.timeline.step("Clients of two tenants connect")
        for connection_id, who in (("ann-1", ANN), ("bob-1", BOB)):
            opened = samples.websocket("CONNECT", connection_id=connection_id, authorizer=who)
            self.check(f"{who['user']} is let in", self.invoke(opened)["statusCode"], 200)

    def upload_prices(self) -> None:
        """Send a price list past the function into the bucket, whose notification calls the function."""
        self.timeline.step("Ann uploads a price list: request -> bucket -> notification")
        answer = self._request("POST", "/price-lists", ANN)
        self.check("she is told where to send it", answer["statusCode"], 200)
        self.check("the bucket takes it", self._upload(json.loads(answer["body"]), b"tea,5.00\n"), 200)
        self.invoke(samples.s3(UPLOADS, f"tenants/{ANN['tenant']}/prices.csv"))
        price = self._item("prices", "prices", "price#tea", ANN)["amount"]
        self.check("tea costs acme 5.00 from now on", price, {"N": "5.00"})

    def _request(self, method: str, path: str, who: dict[str, str], body: Any = None) -> Any:
        headers = {"x-tenant": who["tenant"], "x-user": who["user"]}
        return self.invoke(samples.rest(method, path, headers=headers, body=body))

    def _upload(self, request: dict[str, Any], content: bytes) -> int:
        """Make a presigned request, as a browser would."""
        asked = urllib.request.Request(  # noqa: S310 (its URL is the local server's)
            request["url"], content, request["headers"], method=request["method"]
        )
        with DIRECT.open(asked, timeout=10) as response:
            return int(response.status)

    def place_orders(self) -> None:
        """Place orders over REST, one of them for something that nobody sells."""
        self.timeline.step("Ann places two orders, Bob one; only the queue can tell what is sold")
        self.order_id = self._place(ANN, {"product": "tea", "quantity": 2})
        self.poison_id = self._place(ANN, {"product": "unicorn"})
        self.bobs_id = self._place(BOB, {"product": "tea"})

    def _place(self, who: dict[str, str], order: dict[str, Any]) -> str:
        answer = self._request("POST", "/orders", who, order)
        self.check(f"{who['user'].capitalize()}'s order of {order['product']} is accepted", answer["statusCode"], 202)
        return str(json.loads(answer["body"])["order_id"])

    def work_off_queue(self) -> None:
        """Deliver the orders from the queue in one batch, of which one fails."""
        self.timeline.step("Topic -> queue -> table: three in one batch, and one of them fails")
        self.check("one message failed", len(self.queue.poll(wait_s=5)), 1)
        outcomes = [line["outcome"] for line in self._journal("sqs")]
        self.check("it is the one that nobody sells", outcomes, ["done", UNSOLD, "done"])
        item = self._stored()
        self.check("the stored order is Ann's", {key: item[key]["S"] for key in ANN}, ANN)

    def _stored(self) -> dict[str, Any]:
        """Return Ann's order as it is in the table."""
        return self._item("orders", "orders", f"order#{self.order_id}", ANN)

    def _item(self, table: str, pk: str, sk: str, who: dict[str, str]) -> dict[str, Any]:
        key = {"pk": {"S": f"tenant#{who['tenant']}#{pk}"}, "sk": {"S": sk}}
        return dict(self.cloud.aws.call("dynamodb", "get_item", TableName=table, Key=key)["Item"])

    def _session_for(self, purpose: str) -> str:
        """Sign Ann's session, as whoever starts a task or invokes the function does."""
        request_id = self._stored()["correlation_id"]["S"]
        return self.policy.issue(Session(ANN["tenant"], ANN["user"], correlation_id=request_id), purpose)

    def read_stream(self) -> None:
        """Deliver what is new in the table: each client hears of its tenant's order."""
        self.timeline.step("The table's stream -> messages on the WebSockets")
        self.check("the stream is read to its end", self.stream.poll(), 0)
        told = {"type": "order", "status": "open"}
        anns = {**told, "order_id": self.order_id, "total": "10.00", "user": "ann"}
        bobs = {**told, "order_id": self.bobs_id, "total": "4.50", "user": "bob"}
        for connection_id, message in (("ann-1", anns), ("bob-1", bobs)):
            got = self.cloud.sent_to(connection_id)
            for each in got:
                self.timeline.note(f"{connection_id} got an order of {each['user']} over {each['total']}")
            name = message["user"].capitalize()
            self.check(f"{name}'s client is told of {name}'s order, and of no other", got, [message])

    def show_orders(self) -> None:
        """Ask for an order over REST and over the WebSocket, as its tenant and as another."""
        self.timeline.step("An order can be seen by its tenant alone")
        for who, status in ((ANN, 200), (BOB, 404)):
            answer = self._request("GET", f"/orders/{self.order_id}", who)
            self.check(f"GET by {who['user']} is answered with {status}", answer["statusCode"], status)
        asked = {"action": "status", "order_id": self.order_id}
        answer = self.invoke(
            samples.websocket("MESSAGE", route_key="status", body=asked, connection_id="ann-1", authorizer=ANN)
        )
        self.check("Ann's client is told the status", json.loads(answer["body"])["status"], "open")

    def retry_poison(self) -> None:
        """Deliver the message that failed until the queue gives it up."""
        self.timeline.step("What failed is delivered again, alone, until it is dead-lettered")
        for attempt in range(2, MOST_TRIES + 1):
            failed = len(self.queue.poll(wait_s=5))
            last = self.timeline.lines[-1]
            self.check("it failed again", (failed, last["attempt"], last["outcome"]), (1, attempt, UNSOLD))
        self.check("the queue has nothing more to deliver", self.queue.poll(wait_s=VISIBILITY_TIMEOUT_S + 2), [])
        self.check("the order of a unicorn is in the dead-letter queue", self._dead_letters(), [self.poison_id])

    def _dead_letters(self) -> list[str]:
        url = self.cloud.resources.dead_letters_url
        held = self.cloud.aws.call("sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(json.loads(message["Body"])["Message"])["order_id"] for message in held.get("Messages", [])]

    def run_task(self) -> None:
        """Run the task as ECS does: in a process of its own, with the session in its environment."""
        self.timeline.step("An ECS task bills acme: a process with TASK_NAME and SESSION")
        task = subprocess.run(
            [sys.executable, "-m", "examples.orders.task"],
            env={**os.environ, "TASK_NAME": "nightly", "SESSION": self._session_for("task")},
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        for text in task.stdout.splitlines():
            self.timeline.add(text)
        self.check("the task ended with exit code 0", task.returncode, 0)
        self.check("the task billed the order", self._stored()["status"]["S"], "billed")
        self.check("the change went through the stream as well", self.stream.poll(), 0)

    def take_payment(self) -> None:
        """Deliver two events of a partner's bus, which knows nothing of sessions."""
        self.timeline.step("A partner's event bus: a payment of Ann fails, the next one succeeds")
        reference = f"{ANN['tenant']}/{self.order_id}"
        for state, outcome, status in (
            ("failed", "no route wants the one that failed: the order is still billed", "billed"),
            ("succeeded", "with the one that succeeded the order is paid", "paid"),
        ):
            self.invoke(samples.eventbridge("Payment", {"state": state, "reference": reference}, source=PARTNER))
            self.check(outcome, self._stored()["status"]["S"], status)
        self._check_told("ann-1", "paid")

    def let_orders_expire(self) -> None:
        """Let a schedule be due, at a time that is still to come."""
        self.timeline.step("15 days later a nightly schedule is due; Bob has not paid")
        later = datetime.now(UTC) + timedelta(days=15)
        self.invoke(samples.schedule("expire-unpaid", timestamp=later))
        bobs = self._item("orders", "orders", f"order#{self.bobs_id}", BOB)
        self.check("Bob's order is expired", bobs["status"]["S"], "expired")
        self.check("Ann's, of another tenant, is still paid", self._stored()["status"]["S"], "paid")
        self._check_told("bob-1", "expired")

    def _check_told(self, connection_id: str, status: str) -> None:
        """Let the stream be read, and look at the last message to a client."""
        self.stream.poll()
        told = self.cloud.sent_to(connection_id)[-1]["status"]
        self.check(f"the client {connection_id} is told, by way of the stream", told, status)

    def invoke_directly(self) -> None:
        """Invoke the function directly, for tenant and user of the first order."""
        self.timeline.step("A direct invoke")
        answer = self.invoke({"action": "rebuild", "session": self._session_for("invoke")})
        sums = {"tenant": "acme", "orders": 1, "unpaid": 0, "total": "10.00"}
        self.check("it adds up the tenant's orders", answer, sums)
        first, last = self._first_order(), self.timeline.lines[-1]
        asked, came = ([line[key] for key in (*ANN, "correlation_id")] for line in (first, last))
        self.check("it is for tenant and user of the first order", came, asked)

    def _first_order(self) -> dict[str, Any]:
        """Return the journal's line of the request that placed the first order."""
        return next(line for line in self._journal("rest") if line["route"] == "POST /orders")

    def disconnect(self) -> None:
        """Disconnect the clients; nobody remembers them."""
        self.timeline.step("The clients disconnect")
        for connection_id, who in (("ann-1", ANN), ("bob-1", BOB)):
            self.invoke(samples.websocket("DISCONNECT", connection_id=connection_id, authorizer=who))
        left = self.cloud.aws.call("dynamodb", "scan", TableName="connections")["Count"]
        self.check("no connection is left", left, 0)

    def compare_correlation(self) -> None:
        """Follow one id from the request through every hop."""
        self.timeline.step("One correlation id joins the hops of Ann's first order")
        first = self._first_order()["correlation_id"]
        hops = [line["source"] for line in self.timeline.lines if line["correlation_id"] == first]
        expected = ["rest", "sqs", "dynamodb", "task", "dynamodb", "dynamodb", "invoke"]
        self.check(" -> ".join(hops), hops, expected)

    def _journal(self, source: str) -> list[dict[str, Any]]:
        return [line for line in self.timeline.lines if line["source"] == source]


def main() -> int:
    """Run the demonstration, and return the exit status: see `play`."""
    timeline = Timeline()
    # The journal is shown as it is written; what the library logs of failing records only if a check fails.
    listen({"orders.journal": timeline, "router": timeline.library})
    isolate()
    return play(timeline, lambda: _run(timeline), READING)


def _run(timeline: Timeline) -> None:
    with Cloud() as cloud:
        os.environ |= cloud.environment()
        timeline.title(
            "Junction: examples/orders",
            "A web shop with two tenants. All of it is one Lambda function; this plays AWS.",
            f"Its calls are real, and go to a mock of AWS in memory ({cloud.url}).",
            "Each line below is an event that the function handled; ok is a check.",
        )
        Demo(cloud, timeline).run()
