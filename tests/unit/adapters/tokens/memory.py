"""A store of tokens in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any


class Memory:
    """A store. `asked` names the verbs that were called; `failing` raises in one of them."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.failing: dict[str, Exception] = {}
        self.meanwhile: Callable[[], object] | None = None

    def _note(self, verb: str) -> None:
        self.asked.append(verb)
        if verb in self.failing:
            raise self.failing[verb]

    def insert(self, record: dict[str, Any]) -> None:
        self._note("insert")
        self.records[record["id"]] = record

    def get(self, id: str) -> Any:
        self._note("get")
        found = self.records.get(id)
        read = dict(found) if isinstance(found, dict) else found
        if self.meanwhile is not None:
            self.meanwhile()
        return read

    def update(self, id: str, changes: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
        self._note("update")
        held = self.records.get(id)
        if held is None or any(held.get(name) != value for name, value in expected.items()):
            return False
        held.update(changes)
        return True

    def revoke_all(self, user: str | None, tenant: str | None, at: datetime) -> int:
        return sum(self.update(one["id"], {"revoked_at": at}, {"revoked_at": None}) for one in self.find(user, tenant))

    def find(self, user: str | None, tenant: str | None) -> list[dict[str, Any]]:
        found = [
            one
            for one in self.records.values()
            if (user is None or one["user"] == user) and (tenant is None or tenant in one["tenants"])
        ]
        return sorted(found, key=lambda one: str(one["created_at"]))

    async def insert_async(self, record: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        self.insert(record)

    async def get_async(self, id: str) -> Any:
        await asyncio.sleep(0)
        return self.get(id)

    async def update_async(self, id: str, changes: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
        await asyncio.sleep(0)
        return self.update(id, changes, expected)

    async def revoke_all_async(self, user: str | None, tenant: str | None, at: datetime) -> int:
        await asyncio.sleep(0)
        return self.revoke_all(user, tenant, at)

    async def find_async(self, user: str | None, tenant: str | None) -> list[dict[str, Any]]:
        await asyncio.sleep(0)
        return self.find(user, tenant)
