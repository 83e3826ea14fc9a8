"""Stand around the function in the console's tests: queues, connections, executions, fault rules, in memory."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any


class Queues:
    """Two queues, one of them with dead letters."""

    def __init__(self) -> None:
        self.dead = [
            {"id": f"f3a1c2d4-000{number}", "body": f'{{"order": {1041 + number}, "total": "19.90"}}', "received": 4}
            for number in (1, 2)
        ]

    async def queues(self) -> Sequence[Mapping[str, Any]]:
        """Return both."""
        common = {"url": "", "in_flight": 0, "delayed": 0, "fifo": False}
        return [
            {**common, "name": "orders", "visible": 0, "dead_letter_of": [], "dead_letters": "orders-dead"},
            {
                **common,
                "name": "orders-dead",
                "visible": len(self.dead),
                "dead_letter_of": ["orders"],
                "dead_letters": None,
            },
        ]

    async def messages(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Return the dead letters."""
        return self.dead if name == "orders-dead" else []

    async def redrive(self, name: str) -> Mapping[str, Any]:
        """Forget the dead letters."""
        moved, self.dead = len(self.dead), []
        return {"moved": {"orders": moved}, "left": 0, "why": ""}


class Connections:
    """Two clients."""

    def __init__(self) -> None:
        self.open = {
            f"Kx9dPfVy{number}oAMEeDw=": {"opened": time.time() - 90 * number, "path": "/local"} for number in (1, 2)
        }
        self.sent: list[tuple[str, str]] = []

    def connections(self) -> Sequence[Mapping[str, Any]]:
        """Return those that are open."""
        return [{"id": one, **known} for one, known in self.open.items()]

    async def send(self, connection_id: str, text: str) -> bool:
        """Keep what was sent."""
        self.sent.append((connection_id, text))
        return connection_id in self.open

    async def close(self, connection_id: str) -> bool:
        """Forget a client."""
        return self.open.pop(connection_id, None) is not None


class Executions:
    """One execution that waits for a callback, and one that is over."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, Any, Any]] = []
        self.started = time.time() - 9

    async def executions(self) -> Sequence[Mapping[str, Any]]:
        """Return both."""
        waits = {
            "id": "approve-1042",
            "name": "approve-1042",
            "status": "PENDING",
            "waits_for": "callback",
            "started": self.started,
        }
        over = {**waits, "waits_for": None, "id": "approve-1041", "name": "approve-1041", "status": "SUCCEEDED"}
        return [waits, {**over, "started": self.started - 90, "ended": self.started - 60}]

    async def execution(self, execution_id: str) -> Mapping[str, Any]:
        """Return its steps."""
        steps = [
            self._step("reserve", "step", 0.1, 0.9, result={"reserved": 2}),
            self._step("cool down", "wait", 0.9, 5),
            self._step("charge", "step", 5, 6.5, attempts=[{}, {}]),
        ]
        if not self.answers:
            steps.append(self._step("approval", "callback", 6.5, None, status="STARTED", callback_id="cb-1"))
        return {
            "id": execution_id,
            "name": execution_id,
            "status": "RUNNING" if self.answers else "PENDING",
            "waits_for": None if self.answers else "callback",
            "started": self.started,
            "input": {"order": 1042},
            "steps": steps,
        }

    def _step(self, name: str, kind: str, start: float, end: float | None, **more: Any) -> dict[str, Any]:
        times = {"started": self.started + start, "ended": None if end is None else self.started + end}
        return {
            "id": name,
            "parent": None,
            "name": name,
            "kind": kind,
            "status": "SUCCEEDED",
            "attempts": [],
            **times,
            **more,
        }

    async def callback(
        self, execution_id: str, callback_id: str, *, result: Any, error: str | Mapping[str, Any] | None
    ) -> None:
        """Keep an answer."""
        self.answers.append((callback_id, result, error))

    async def skip(self, execution_id: str) -> None:
        """Do nothing."""


class Faults:
    """Rules that hit nothing."""

    def __init__(self) -> None:
        common = {"operation": "*", "route": "*", "times": None}
        self.kept: list[Mapping[str, Any]] = [
            {"id": "f1", "kind": "latency", "probability": 0.2, "service": "dynamodb", **common, "ms": 400, "hits": 12},
            {"id": "f2", "kind": "fail", "probability": 1, "service": "sns", **common, "times": 3, "hits": 3},
        ]

    def rules(self) -> Sequence[Mapping[str, Any]]:
        """Return them."""
        return self.kept

    def replace(self, rules: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Take rules, if their probabilities are right."""
        if not all(0 <= rule.get("probability", 1) <= 1 for rule in rules):
            raise ValueError("a probability is from 0 to 1")
        self.kept = [{"hits": 0, **rule, "id": f"f{number}"} for number, rule in enumerate(rules, 1)]
        return self.kept
