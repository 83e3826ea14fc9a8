"""What the tests of the dispatcher share: batches whose records have names, and programs in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from router.testing import samples

ROOT = Path(__file__).resolve().parents[4]


def sqs(queue: str, *records: str | tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Messages with their body as id, each with options of its own: `sqs("q", "a", ("b", {"session": ...}))`."""
    built = []
    for position, record in enumerate(records):
        body, options = (record, {}) if isinstance(record, str) else record
        built.append(samples.sqs_record(queue, body, message_id=body, position=position, **options))
    return {"Records": built}


def failed(answer: Mapping[str, Any]) -> list[str]:
    """What `batchItemFailures` names."""
    assert list(answer) == ["batchItemFailures"]
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def sequence_numbers(raw: Mapping[str, Any]) -> list[str]:
    """Of each record of a stream, what a failure is reported by."""
    return [
        record["kinesis"]["sequenceNumber"] if "kinesis" in record else record["dynamodb"]["SequenceNumber"]
        for record in raw["Records"]
    ]


def program(code: str, *, environ: Mapping[str, str] | None = None, covered: bool = True) -> subprocess.Popen[str]:
    """A Python program that can import the library. `covered=False`: without coverage's own modules in it."""
    variables = {name: value for name, value in os.environ.items() if covered or not name.startswith("COV")}
    variables["PYTHONPATH"] = str(ROOT)
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**variables, **(environ or {})},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(code: str, **options: Any) -> str:
    """What a program prints; it has to end well and say nothing on stderr."""
    process = program(code, **options)
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, ""), err
    return out.strip()
