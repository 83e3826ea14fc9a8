"""A root logger of a test's own: filters and formatters stay with it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest


class Kept(logging.Handler):
    """Keeps the records, as they came out of its filters."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def of(self, *names: str) -> list[Any]:
        """The fields of each line, in order: a tuple of them, or the one that was asked for."""
        rows = [tuple(getattr(record, name) for name in names) for record in self.records]
        return [row[0] for row in rows] if len(names) == 1 else rows


@pytest.fixture
def kept() -> Iterator[Kept]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    handler = Kept()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    yield handler
    root.handlers = handlers
    root.setLevel(level)
