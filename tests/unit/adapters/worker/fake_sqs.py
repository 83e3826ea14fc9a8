"""SQS on a virtual clock, as a botocore client: visibility, receive counts, long polls, FIFO groups, redrive, faults.

The rules are those of the SQS API reference and of its developer guide (visibility timeout, FIFO delivery logic).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any

from adapters._core.steps import BlockingCall, Wait, run_async
from adapters.aws import Aws
from tests.unit.adapters.fakes import SETTINGS, refusal

# A message is invisible for twelve hours at most, from when it was received.
LONGEST = 43_200
# Seconds of a request, unless a test says otherwise.
ROUND_TRIP = 0.01


class Stored:
    """A message in a queue. visible: from when it can be received. taken: when it was received last."""

    def __init__(self, id: str, body: str, group: str | None, now: float) -> None:
        self.id = id
        self.body = body
        self.group = group
        self.visible = self.sent = now
        self.taken = 0.0
        self.count = 0

    @property
    def receipt(self) -> str:
        return f"receipt-{self.id}-{self.count}"

    def told(self, epoch: float) -> dict[str, Any]:
        """The message in the answer to ReceiveMessage."""
        attributes = {
            "ApproximateReceiveCount": str(self.count),
            "SentTimestamp": str(round(1000 * (epoch + self.sent))),
        }
        if self.group is not None:
            attributes["MessageGroupId"] = self.group
        return {"MessageId": self.id, "ReceiptHandle": self.receipt, "Body": self.body, "Attributes": attributes}


class FakeSqs:
    """The service. Queues are there once something was sent to them, or received from them.

    asked: (virtual time, operation, parameters) of each request.
    faults: by operation, or operation and queue, what the next requests end with; None lets one through. The last one
        stays if `lasting`.
    latency: seconds of a request by operation; for ReceiveMessage before it waits.
    most_receives: by queue; what was received that often is put aside, as a redrive policy says.
    epoch: what the wall clock shows at the virtual time 0.
    """

    epoch = 1_700_000_000.0

    def __init__(self, loop: Any) -> None:
        self.meta = SimpleNamespace(endpoint_url="https://sqs.eu-west-1.amazonaws.com")
        self.asked: list[tuple[float, str, dict[str, Any]]] = []
        self.faults: defaultdict[str, list[Any]] = defaultdict(list)
        self.lasting = False
        self.latency: dict[str, float] = {}
        self.most_receives: dict[str, int] = {}
        self.put_aside: defaultdict[str, list[str]] = defaultdict(list)
        self._loop = loop
        self._queues: defaultdict[str, list[Stored]] = defaultdict(list)
        self._numbers = 0
        self._changed = asyncio.Event()

    # ---- what a test does and looks at ---------------------------------------------------------------------------

    def send(self, queue: str, *bodies: str, group: str | None = None) -> None:
        for body in bodies:
            self._numbers += 1
            self._queues[queue].append(Stored(f"m{self._numbers}", body, group, self._loop.time()))
        self._changed.set()

    def left(self, queue: str) -> dict[str, list[str]]:
        """The bodies that a queue holds: which can be received now, and which are invisible."""
        now = self._loop.time()
        return {
            "waiting": [one.body for one in self._queues[queue] if one.visible <= now],
            "invisible": [one.body for one in self._queues[queue] if one.visible > now],
        }

    def requests(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for _, name, parameters in self.asked if name == operation]

    def times(self, operation: str) -> list[float]:
        """When an operation was asked for, in virtual seconds since the beginning."""
        return [at for at, name, _ in self.asked if name == operation]

    # ---- the client ----------------------------------------------------------------------------------------------

    async def wait(self, operation: str, parameters: dict[str, Any]) -> None:
        """Let the time of a request pass; of ReceiveMessage up to the first message that can be received."""
        self.asked.append((self._loop.elapsed, operation, parameters))
        await asyncio.sleep(self.latency.get(operation, ROUND_TRIP))
        queue = _name(parameters)
        if operation != "receive_message" or self._due(operation, queue):
            return
        end = self._loop.time() + parameters["WaitTimeSeconds"]
        while (now := self._loop.time()) < end and not self._deliverable(queue):
            self._changed.clear()
            wake = min([end, *(one.visible for one in self._queues[queue] if one.visible > now)])
            try:
                async with asyncio.timeout_at(wake):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def receive_message(self, **parameters: Any) -> dict[str, Any]:
        queue, now = _name(parameters), self._loop.time()
        self._fault("receive_message", queue)
        most, visibility = parameters["MaxNumberOfMessages"], parameters["VisibilityTimeout"]
        assert 1 <= most <= 10
        assert 0 <= parameters["WaitTimeSeconds"] <= 20
        assert type(visibility) is int
        assert 0 <= visibility <= LONGEST
        received: list[dict[str, Any]] = []
        for one in self._deliverable(queue):
            if one.count >= self.most_receives.get(queue, 1000):
                self._queues[queue].remove(one)
                self.put_aside[queue].append(one.body)
            elif len(received) < most:
                one.count, one.taken, one.visible = one.count + 1, now, now + visibility
                received.append(one.told(self.epoch))
        return {"Messages": received} if received else {}

    def delete_message_batch(self, **parameters: Any) -> dict[str, Any]:
        return self._each("delete_message_batch", parameters, self._delete)

    def change_message_visibility_batch(self, **parameters: Any) -> dict[str, Any]:
        answer = self._each("change_message_visibility_batch", parameters, self._change)
        self._changed.set()
        return answer

    # ---- its rules -----------------------------------------------------------------------------------------------

    def _deliverable(self, queue: str) -> list[Stored]:
        """What can be received: of a FIFO group nothing while something of it is invisible."""
        now, held = self._loop.time(), self._queues[queue]
        blocked = {one.group for one in held if one.visible > now} if queue.endswith(".fifo") else set()
        return [one for one in held if one.visible <= now and one.group not in blocked]

    def _due(self, operation: str, queue: str) -> list[Any]:
        return self.faults[f"{operation} {queue}"] or self.faults[operation]

    def _fault(self, operation: str, queue: str) -> None:
        due = self._due(operation, queue)
        fault = (due[0] if self.lasting and len(due) == 1 else due.pop(0)) if due else None
        if fault is not None:
            raise fault

    def _each(self, operation: str, parameters: dict[str, Any], settle: Any) -> dict[str, Any]:
        entries = parameters["Entries"]
        assert 1 <= len(entries) <= 10
        assert len({entry["Id"] for entry in entries}) == len(entries)
        refused: Any = ()
        try:
            self._fault(operation, _name(parameters))
        except Refused as fault:
            refused = fault
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in entries:
            why = refused.answer if refused and refused.takes(entry) else settle(_name(parameters), entry)
            answer["Successful" if why is None else "Failed"].append({"Id": entry["Id"], **(why or {})})
        return answer

    def _find(self, queue: str, receipt: str) -> Stored | None:
        return next((one for one in self._queues[queue] if receipt.rsplit("-", 1)[0] == f"receipt-{one.id}"), None)

    def _delete(self, queue: str, entry: dict[str, Any]) -> dict[str, Any] | None:
        one = self._find(queue, entry["ReceiptHandle"])
        if one is None:
            return None
        if queue.endswith(".fifo") and (one.visible <= self._loop.time() or one.receipt != entry["ReceiptHandle"]):
            return _fault_of_sender("InvalidParameterValue", "The receipt handle has expired")
        if one.receipt == entry["ReceiptHandle"]:  # with an older one the request succeeds, and deletes nothing
            self._queues[queue].remove(one)
            self._changed.set()
        return None

    def _change(self, queue: str, entry: dict[str, Any]) -> dict[str, Any] | None:
        one, now, seconds = self._find(queue, entry["ReceiptHandle"]), self._loop.time(), entry["VisibilityTimeout"]
        assert type(seconds) is int
        if one is None or one.receipt != entry["ReceiptHandle"]:
            return _fault_of_sender("InvalidParameterValue", "Message does not exist")
        if one.visible <= now:
            return _fault_of_sender("MessageNotInflight", "")
        if now + seconds > one.taken + LONGEST:
            return _fault_of_sender("InvalidParameterValue", "Total VisibilityTimeout is beyond the limit")
        one.visible = now + seconds
        return None


class Refused(Exception):
    """A fault that refuses entries of a batch, and lets the others through. bodies: of which messages."""

    def __init__(self, *ids: str, code: str = "InternalError", sender_fault: bool = False) -> None:
        super().__init__(code)
        self.ids = ids
        self.answer = {"Code": code, "Message": "refused", "SenderFault": sender_fault}

    def takes(self, entry: dict[str, Any]) -> bool:
        return not self.ids or entry["ReceiptHandle"].split("-")[1] in self.ids


def throttled(operation: str = "ReceiveMessage") -> Exception:
    return refusal("ThrottlingException", operation=operation)


def _fault_of_sender(code: str, message: str) -> dict[str, Any]:
    return {"Code": code, "Message": message, "SenderFault": True}


def _name(parameters: dict[str, Any]) -> str:
    return str(parameters["QueueUrl"]).rpartition("/")[2]


class VirtualAws(Aws):
    """An Aws that makes its calls on the event loop, in the time that the fake service says they take."""

    def __init__(self, sqs: FakeSqs) -> None:
        super().__init__(SETTINGS.replace(attempts=1), clients={"sqs": sqs})
        self._sqs = sqs

    def step(self, service: str, operation: str, /, *, parameters: Any, **options: Any) -> BlockingCall:
        step = _Request(super().step(service, operation, parameters=parameters, **options))
        step.wait = lambda: self._sqs.wait(operation, parameters)
        return step

    async def run_async(self, steps: Any) -> Any:
        return await run_async(steps, _perform)


class _Request(BlockingCall):
    """A request: `wait` lets its time pass."""

    __slots__ = ("wait",)

    def __init__(self, step: BlockingCall) -> None:
        super().__init__(step.function, long=step.long)
        self.wait: Any = None


def _perform(step: Any) -> Any:
    if isinstance(step, Wait):
        return asyncio.sleep(step.seconds)
    return _request(step) if isinstance(step, _Request) else step.function()


def _request(step: _Request) -> Awaitable[Any]:
    async def request() -> Any:
        await step.wait()
        return step.function()

    # A request that is under way cannot be called off: SQS does what it was asked all the same.
    task = asyncio.create_task(request())
    under_way.add(task)
    task.add_done_callback(_ended)
    return asyncio.shield(task)


# The requests that nobody may call off.
under_way: set[asyncio.Task[Any]] = set()


def _ended(task: asyncio.Task[Any]) -> None:
    under_way.discard(task)
    if not task.cancelled():
        task.exception()  # it was told to whoever still waited for it
