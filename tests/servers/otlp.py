"""An OpenTelemetry collector on this machine: takes OTLP over HTTP and parses the protobuf, as a real one does."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.servers.loopback import LoopbackServer, Quiet


class Taken(NamedTuple):
    """A span as it arrived, with ids in hex."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    links: list[tuple[str, str]]  # trace and span
    attributes: dict[str, Any]
    failed: bool
    resource: dict[str, Any]


class Collector(LoopbackServer):
    """Runs on a free port; OTEL_EXPORTER_OTLP_ENDPOINT is set to its URL.

    requests: how many came, refused ones included. status: what they are answered with.
    holding: while it is clear, requests wait.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.status = 200
        self.spans: list[Taken] = []
        self.arrived = threading.Condition()
        collector = self

        class Answer(Quiet, BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.requests += 1
                collector.holding.wait(30)
                if self.path == "/v1/traces" and collector.status == 200:
                    collector._take(body)
                try:
                    self.send_response(collector.status)
                    self.send_header("Content-Type", "application/x-protobuf")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # who sent has gone

        super().__init__(Answer)

    def wait_for(self, count: int, seconds: float = 10) -> list[Taken]:
        """The spans, once there are so many."""
        with self.arrived:
            self.arrived.wait_for(lambda: len(self.spans) >= count, seconds)
        return list(self.spans)

    def _take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        taken = [
            _taken(span, _plain(group.resource.attributes))
            for group in request.resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]
        with self.arrived:
            self.spans += taken
            self.arrived.notify_all()


def _taken(span: Any, resource: dict[str, Any]) -> Taken:
    kind = span.DESCRIPTOR.fields_by_name["kind"].enum_type.values_by_number[span.kind].name
    links = [(link.trace_id.hex(), link.span_id.hex()) for link in span.links]
    return Taken(
        name=span.name,
        kind=kind.removeprefix("SPAN_KIND_"),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=links,
        attributes=_plain(span.attributes),
        failed=span.status.code == 2,
        resource=resource,
    )


def _plain(held: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in held}
