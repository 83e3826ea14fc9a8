"""The demonstration itself, step by step."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import Any

from examples.orders.demo.cloud import Cloud, isolate
from examples.orders.demo.mappings import QueueMapping, StreamMapping, as_delivered
from examples.orders.demo.resources import MOST_TRIES, VISIBILITY_TIMEOUT_S
from examples.timeline import Mismatch, Timeline
from router.testing import Context, samples

ANN = {"tenant": "acme", "user": "ann"}
BOB = {"tenant": "globex", "user": "bob"}
UNSOLD = "UnknownProduct: unicorn"


class Demo:
    """Plays the clients, API Gateway, the event source mappings and ECS; the application and its calls are real."""

    def __init__(self, cloud: Cloud, timeline: Timeline) -> None:
        # As in Lambda, the environment is there before the application is imported.
        from examples.orders import app

        self.handler = app.handler
        self.policy = app.resolver.session_policy
        self.cloud = cloud
        self.timeline = timeline
        self.queue = QueueMapping(cloud, self.invoke)
        self.stream = StreamMapping(cloud, self.invoke)
        self.order_id = ""
        self.poison_id = ""

    def run(self) -> None:
        """All steps in order. Raises Mismatch at the first check that fails."""
        self.connect()
        self.place_orders()
        self.work_off_queue()
        self.read_stream()
        self.show_orders()
        self.retry_poison()
        self.run_task()
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
        """Two tenants, each with a client on a WebSocket."""
        self.timeline.step("Clients of two tenants connect")
        for connection_id, who in (("ann-1", ANN), ("bob-1", BOB)):
            opened = samples.websocket("CONNECT", connection_id=connection_id, authorizer=who)
            self.check(f"{who['user']} is let in", self.invoke(opened)["statusCode"], 200)

    def place_orders(self) -> None:
        """Two orders over REST, the second for something that nobody sells."""
        self.timeline.step("Ann places two orders; the second cannot be filled, which only the consumer can tell")
        self.order_id = self._place({"product": "tea", "quantity": 2})
        self.poison_id = self._place({"product": "unicorn"})

    def _place(self, order: dict[str, Any]) -> str:
        headers = {"x-tenant": ANN["tenant"], "x-user": ANN["user"]}
        answer = self.invoke(samples.rest("POST", "/orders", headers=headers, body=order))
        self.check(f"POST /orders of {order['product']} is accepted", answer["statusCode"], 202)
        return str(json.loads(answer["body"])["order_id"])

    def work_off_queue(self) -> None:
        """Through the topic into the queue: both orders come in one batch, and one of them fails."""
        self.timeline.step("Topic -> queue -> table; in one batch one order is stored and one fails")
        self.check("one message failed", len(self.queue.poll(wait_s=5)), 1)
        outcomes = [line["outcome"] for line in self._journal("sqs")]
        self.check("it is the one that nobody sells", outcomes, ["done", UNSOLD])
        item = self._stored()
        self.check("the stored order is Ann's", {key: item[key]["S"] for key in ANN}, ANN)

    def _stored(self) -> dict[str, Any]:
        key = {"pk": {"S": f"tenant#{ANN['tenant']}#orders"}, "sk": {"S": f"order#{self.order_id}"}}
        found = self.cloud.aws.call("dynamodb", "get_item", TableName="orders", Key=key)
        return dict(found["Item"])

    def _session_for(self, purpose: str) -> str:
        """Sign the session of the stored order again, as whoever starts a task or invokes the function does."""
        return self.policy.issue(self.policy.open(self._stored()["session"]["S"]), purpose)

    def read_stream(self) -> None:
        """The table's stream says what is new, and Ann's client hears of it."""
        self.timeline.step("The table's stream -> a message on the WebSocket")
        self.check("the stream is read to its end", self.stream.poll(), 0)
        message = {"type": "order", "order_id": self.order_id, "total": "9.00", **ANN}
        got = self.cloud.sent_to("ann-1")
        for each in got:
            self.timeline.note(f"ann-1 got an {each['type']} over {each['total']} of {each['tenant']}/{each['user']}")
        self.check("Ann's client got the order, with tenant and user", got, [message])
        self.check("Bob's client, of another tenant, got nothing", self.cloud.sent_to("bob-1"), [])

    def show_orders(self) -> None:
        """Over REST and over the WebSocket, to whom it belongs and to nobody else."""
        self.timeline.step("The order can be seen by its tenant alone")
        for who, status in ((ANN, 200), (BOB, 404)):
            headers = {"x-tenant": who["tenant"], "x-user": who["user"]}
            answer = self.invoke(samples.rest("GET", f"/orders/{self.order_id}", headers=headers))
            self.check(f"GET by {who['user']} is answered with {status}", answer["statusCode"], status)
        asked = {"action": "status", "order_id": self.order_id}
        answer = self.invoke(
            samples.websocket("MESSAGE", route_key="status", body=asked, connection_id="ann-1", authorizer=ANN)
        )
        self.check("Ann's client is told the status", json.loads(answer["body"])["status"], "open")

    def retry_poison(self) -> None:
        """The message that failed comes again until the queue has had enough of it."""
        self.timeline.step("What failed comes again, alone, until it is dead-lettered")
        for attempt in range(2, MOST_TRIES + 1):
            failed = len(self.queue.poll(wait_s=5))
            last = self.timeline.lines[-1]
            self.check("it failed again", (failed, last["attempt"], last["outcome"]), (1, attempt, UNSOLD))
        self.check("the queue has nothing more to deliver", self.queue.poll(wait_s=VISIBILITY_TIMEOUT_S + 2), [])
        self.check("the poison order is in the dead-letter queue", self._dead_letters(), [self.poison_id])

    def _dead_letters(self) -> list[str]:
        url = self.cloud.resources.dead_letters_url
        held = self.cloud.aws.call("sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(json.loads(message["Body"])["Message"])["order_id"] for message in held.get("Messages", [])]

    def run_task(self) -> None:
        """A process of its own, with the session in its environment, as ECS starts it."""
        self.timeline.step("An ECS task, as a process with TASK_NAME and SESSION in its environment")
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

    def invoke_directly(self) -> None:
        """The last hop: a direct invoke with the session that came with the first request."""
        self.timeline.step("A direct invoke")
        answer = self.invoke({"action": "rebuild", "session": self._session_for("invoke")})
        sums = {"tenant": "acme", "orders": 1, "billed": 1, "total": "9.00"}
        self.check("it adds up the tenant's orders", answer, sums)
        first, last = self._journal("rest")[0], self.timeline.lines[-1]
        asked, came = ([line[key] for key in (*ANN, "correlation_id")] for line in (first, last))
        self.check("it is for tenant and user of the first request", came, asked)

    def disconnect(self) -> None:
        """The clients go, and nobody remembers them."""
        self.timeline.step("The clients disconnect")
        for connection_id, who in (("ann-1", ANN), ("bob-1", BOB)):
            self.invoke(samples.websocket("DISCONNECT", connection_id=connection_id, authorizer=who))
        left = self.cloud.aws.call("dynamodb", "scan", TableName="connections")["Count"]
        self.check("no connection is left", left, 0)

    def compare_correlation(self) -> None:
        """One id leads from the request through every hop."""
        self.timeline.step("One correlation id joins the hops of the first order")
        first = self._journal("rest")[0]["correlation_id"]
        hops = [line["source"] for line in self.timeline.lines if line["correlation_id"] == first]
        self.check(" -> ".join(hops), hops, ["rest", "sqs", "dynamodb", "task", "dynamodb", "invoke"])

    def _journal(self, source: str) -> list[dict[str, Any]]:
        return [line for line in self.timeline.lines if line["source"] == source]


def main() -> int:
    """Run the demonstration. 0: every check held; 1: one did not; 130: stopped from the keyboard."""
    timeline = Timeline()
    _listen(timeline)
    isolate()
    try:
        with Cloud() as cloud:
            os.environ |= cloud.environment()
            timeline.title(f"Junction: examples/orders on a local AWS at {cloud.url}")
            Demo(cloud, timeline).run()
    except Mismatch as mismatch:
        timeline.failed(mismatch)
        return 1
    except KeyboardInterrupt:
        return 130
    timeline.end()
    return 0


def _listen(timeline: Timeline) -> None:
    """Show the journal as it is written, and what the library logs of failing records only if a check fails."""
    for name, handler in (("orders.journal", timeline), ("router", timeline.library)):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.propagate = False
