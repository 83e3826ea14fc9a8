"""mypy (strict) and pyright accept what the README and the docs show, and the examples; and they know typed events."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.checkers import mypy, pyright

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

TYPED = """
from typing import Any, assert_type

from router import AuthorizerEvent, BusEvent, Event, HttpEvent, KafkaEvent, ObjectEvent, QueueEvent, Resolver
from router import Allow, ChannelAuthorizerEvent, ChannelEvent, IotAuthorizerEvent, ProvisioningEvent, Source
from router import SocketEvent, StreamEvent, TopicEvent, ToolEvent, TransferLoginEvent, TransferUser

resolver = Resolver()


@resolver.on_stream("orders")
def stream(event: StreamEvent) -> None:
    print(event.new["total"], event.old["total"], event.keys["id"], event.window.state, event.window.start.hour)
    assert_type(event.sequence_number, str)
    event.group  # error


@resolver.on_queue("orders")
def queue(event: QueueEvent) -> None:
    assert_type(event.group, str | None)
    assert_type(event.subject, str | None)
    event.new["total"]  # error
    event.bucket  # error


@resolver.on_object("invoices")
def stored(event: ObjectEvent) -> None:
    assert_type(event.key, str)
    assert_type(event.bucket, str)
    assert_type(event.keys, dict[str, Any])
    print(event.size + 1)
    event.subject  # error


@resolver.on_channel("/chat/*", operation="subscribe", concurrency=2)
def listen(event: ChannelEvent) -> Allow:
    assert_type(event.segments, list[str])
    assert_type(event.namespace, str)
    event.group  # error
    return Allow()


@resolver.on_channel("/chat/*", operation="both")  # error
def both(event: ChannelEvent) -> None: ...


@resolver.on(Source.IOT_AUTHORIZER)
def device(event: IotAuthorizerEvent) -> Allow:
    assert_type(event.password, bytes | None)
    assert_type(event.client_id, str | None)
    return Allow("d", policies=[{"Statement": []}, "{}"], ttl=300)


@resolver.on(Source.TRANSFER)
def login(event: TransferLoginEvent) -> TransferUser:
    assert_type(event.password, str | None)
    event.client_id  # error
    return TransferUser("arn:aws:iam::1:role/files", home={"/": "/bucket"})


@resolver.tool("find_order")
def find_order(event: ToolEvent, order_id: str, limit: int = 10) -> str:
    assert_type(event.gateway_id, str | None)
    assert_type(event.target, str)
    event.bucket  # error
    return order_id


@resolver.on(Source.IOT_PROVISIONING)
def hook(event: ProvisioningEvent, other: ChannelAuthorizerEvent) -> None:
    assert_type(event.certificate_id, str)
    assert_type(other.channel, str)


@resolver.on_message("say")
def say(event: SocketEvent) -> None:
    assert_type(event.connection_id, str)
    event.conection_id  # error


@resolver.on_topic("news")
def topic(event: TopicEvent) -> None:
    assert_type(event.topic, str)
    assert_type(event.subject, str | None)


@resolver.on_bus("Order *")
def bus(event: BusEvent) -> None:
    assert_type(event.bus_source, str)
    print(event.detail["total"])


@resolver.get("/")
def request(event: HttpEvent) -> None:
    assert_type(event.query.getall("tag"), list[str])
    event.connection_id  # error


@resolver.on_kafka("orders")
def kafka(event: KafkaEvent) -> None:
    assert_type(event.partition_key, str | bytes | None)


@resolver.on_authorize()
def authorize(event: AuthorizerEvent) -> bool:
    return event.arn.endswith("/orders")


@resolver.on_invoke("*")
def anything(event: Event) -> Any:
    event.connection_id  # error
    event.new["total"]  # error
    return event.json()
"""


# Pages that run the code of before as well: these libraries have no types, or wrong ones.
UNTYPED = re.compile(
    r"^(?:from|import) (?:chalice|fastapi|mangum|aws_lambda_powertools\.utilities\.idempotency)\b", re.MULTILINE
)


def snippets(page: Path) -> str:
    """Return the Python blocks of a page, each in the lines where it stands on the page."""
    text = page.read_text("utf-8")
    lines = [""] * (text.count("\n") + 1)
    for match in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        first = text.count("\n", 0, match.start(1))
        block = match[1].splitlines()
        lines[first : first + len(block)] = block
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a module for each page."""
    folder = tmp_path_factory.mktemp("pages")
    for page in PAGES:
        if UNTYPED.search(page.read_text("utf-8")):
            continue
        (folder / f"{page.stem.lower()}_md.py").write_text(snippets(page), "utf-8")
    return folder


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    """Return a folder with a module of handlers for typed events."""
    (tmp_path / "typed.py").write_text(TYPED, "utf-8")
    return tmp_path


def marked() -> list[int]:
    return [number for number, line in enumerate(TYPED.splitlines(), 1) if line.endswith("# error")]


# Both read the whole library once; mypy without its cache takes a minute.
long = pytest.mark.timeout(600)


@long
def test_mypy_accepts_what_the_pages_show(pages: Path) -> None:
    assert mypy(pages, "pages") == []


@long
def test_pyright_accepts_what_the_pages_show(pages: Path) -> None:
    assert pyright(pages) == []


@long
def test_pyright_accepts_the_examples(tmp_path: Path) -> None:
    # CDK is no dependency: it is installed for its own tests alone.
    assert pyright(tmp_path, include=ROOT / "examples", exclude=ROOT / "examples" / "cdk") == []


@long
def test_mypy_knows_the_fields_of_typed_events(typed: Path) -> None:
    assert [error.line for error in mypy(typed, "typed")] == marked()


@long
def test_pyright_knows_the_fields_of_typed_events(typed: Path) -> None:
    assert sorted({error.line for error in pyright(typed)}) == marked()
