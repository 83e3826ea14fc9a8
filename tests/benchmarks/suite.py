"""All measurements, in the order of the report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from tests.benchmarks.agents import tool_call
from tests.benchmarks.batches import async_batch, kafka_batch, sync_batch
from tests.benchmarks.cold import cold_path, cold_path_without_bytecode, import_alone, routes_at_import
from tests.benchmarks.cold_read import cold_read
from tests.benchmarks.contract import exports, split_start
from tests.benchmarks.documents import served_document
from tests.benchmarks.durable import plain_in_durable
from tests.benchmarks.guards import schema, token
from tests.benchmarks.idempotency import idempotent_record
from tests.benchmarks.logs import log_line
from tests.benchmarks.memory import resident_memory
from tests.benchmarks.post import post_request
from tests.benchmarks.processes import SANDBOX
from tests.benchmarks.results import Section
from tests.benchmarks.shape import shape
from tests.benchmarks.traces import traces
from tests.benchmarks.unused import unused_guards
from tests.benchmarks.warm import get_request, many_routes, middleware

SECTIONS: dict[str, tuple[Callable[[int], Section], int]] = {
    "cold": (cold_path, 25),
    "cold-stripped": (cold_path_without_bytecode, 15),
    "cold-read": (cold_read, 25),
    "import": (import_alone, 60),
    "registering": (routes_at_import, 25),
    "split": (split_start, 25),
    "memory": (resident_memory, 7),
    "get": (get_request, 50),
    "post": (post_request, 30),
    "routes": (many_routes, 25),
    "middleware": (middleware, 30),
    "logs": (log_line, 30),
    "sqs": (sync_batch, 30),
    "sqs-async": (async_batch, 30),
    "kafka": (kafka_batch, 30),
    "durable": (plain_in_durable, 30),
    "idempotent": (idempotent_record, 25),
    "traces": (traces, 30),
    "unused": (unused_guards, 80),
    "token": (token, 30),
    "schema": (schema, 30),
    "contract": (exports, 5),
    "document": (served_document, 30),
    "tool": (tool_call, 30),
    "shape": (shape, 1),
}


def measure(keys: Iterable[str] = SECTIONS, effort: float = 1.0) -> Iterator[Section]:
    """Each section as soon as it is measured; `effort` scales the number of rounds.

    The process looks like a Lambda sandbox from here on, since powertools takes another, slower way outside of one.
    """
    os.environ.update(SANDBOX)
    for key in keys:
        section, rounds = SECTIONS[key]
        yield section(max(3, round(rounds * effort)))
