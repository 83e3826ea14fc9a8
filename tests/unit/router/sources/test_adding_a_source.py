"""A source is added in five places: the enum, a file, a row, a sample, and a test, which is this one.

The source is made up and added to a copy of the package, as CONTRIBUTING.md says. Nothing else of the copy changes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import router
from scripts import sources_table

ENUM = '    PARCELS = "parcels"\n'
ROW = """\
    Row(Source.PARCELS, "parcels", "ParcelEvent", "transform", "parcels", records="parcels",
        data_class="sqs_event.SQSRecord", opened=("parcels",), rule=lambda raw: type(raw.get("parcels")) is list),
"""
FILE = '''\
"""Parcels: one Event a parcel. What could not be delivered goes back."""

from __future__ import annotations

from router.sources._records import DocumentEvent, placed


class ParcelEvent(DocumentEvent):
    """One parcel."""

    __slots__ = ()

    @property
    def weight(self) -> int:
        """Grams."""
        return self._need(int, "weight")

    def _id(self):
        return self._need(str, "id")

    def _name(self):
        return self._need(str, "depot")


def read(source, raw, context):
    """Return one Event a parcel."""
    return [ParcelEvent(source, raw, context, record, place) for place, record in placed(source, raw)]


def answer(raw, events, outcomes):
    """Name the parcels that go back."""
    return {"back": [event.id for event, outcome in zip(events, outcomes, strict=True) if outcome.failed]}
'''
SAMPLE = '''\
"""Parcels."""


def parcels(depot, weights):
    """Parcels of these weights at a depot."""
    return {"parcels": [{"id": f"p-{n}", "depot": depot, "weight": weight} for n, weight in enumerate(weights)]}


SAMPLES = {"parcels": lambda: parcels("north", [5, 40])}
'''
APPLICATION = """
import sys
from router import ConfigurationError, Event, Resolver, Source, detect, read

resolver = Resolver()
weights = []

def deliver(event: Event):
    weights.append(event.weight)
    if event.weight > 20:
        raise ValueError("too heavy")

resolver.on(Source.PARCELS, "nor*", concurrency=2)(deliver)
"""
CHECKS = """
from router.sources._registry import RECORD_SOURCES
from router.testing import samples

raw = samples.SAMPLES["parcels"]()
told = {
    "imported early": "router.sources.parcels" in sys.modules,
    "detected": detect(raw),
    "answer": resolver.resolve(raw),
    "weights": weights,
    "read": [[event.source, event.id, event.name, event.json()] for event in read(raw)],
    "records": [event.records == raw["parcels"] for event in read(raw)],
    "typed": type(read(raw)[0].typed).__name__,
    "takes batches": Source.PARCELS in RECORD_SOURCES,
}
from router.sources.parcels import ParcelEvent

def inspect(event: ParcelEvent): ...

resolver.on("parcels", "south")(inspect)
try:
    resolver.get("/parcels")(inspect)
except ConfigurationError as error:
    told["annotation"] = str(error)
try:
    read({"parcels": [5]})
except Exception as error:
    told["malformed"] = str(error)
import json
print(json.dumps(told))
"""


def insert(path: Path, mark: str, lines: str) -> None:
    """Put lines in front of the one that begins with a mark."""
    text = path.read_text()
    assert text.count(mark) == 1
    path.write_text(text.replace(mark, lines + mark))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a copy of the package that has one source more."""
    folder = tmp_path_factory.mktemp("copy")
    package = folder / "router"
    shutil.copytree(Path(router.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    insert(package / "event.py", '    INVOKE = "invoke"', ENUM)
    insert(package / "sources/_registry.py", "    # What nothing else recognises", ROW)
    (package / "sources/parcels.py").write_text(FILE)
    (package / "testing/samples/parcels.py").write_text(SAMPLE)
    (folder / "app.py").write_text(APPLICATION)
    return folder


def run(folder: Path, *arguments: str) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV") and name != "PYTHONPATH"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_parts_of_the_library_know_the_source(copy: Path) -> None:
    told = json.loads(run(copy, "-c", APPLICATION + CHECKS))
    assert told == {
        "imported early": False,
        "detected": "parcels",
        "answer": {"back": ["p-1"]},
        "weights": [5, 40],
        "read": [
            ["parcels", "p-0", "north", {"id": "p-0", "depot": "north", "weight": 5}],
            ["parcels", "p-1", "north", {"id": "p-1", "depot": "north", "weight": 40}],
        ],
        "records": [True, True],
        "typed": "SQSRecord",
        "takes batches": True,
        "annotation": "GET /parcels: nothing provides the argument 'event': its events are not of ParcelEvent; "
        "write HttpEvent or Event",
        "malformed": "parcels parcels[0]: must be an object, not a whole number",
    }


def test_the_command_lists_its_routes(copy: Path) -> None:
    listed = run(copy, "-m", "router", "routes", "app:resolver")
    assert "nor*" in listed
    assert "concurrency: 2" in listed
    assert "parcels" in listed


def test_the_table_in_the_docs_is_what_the_registry_says() -> None:
    page = sources_table.PAGE.read_text("utf-8")
    assert page == sources_table.with_table(page), "run python -m scripts.sources_table"
