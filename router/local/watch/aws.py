"""`AwsCalls`: notes the calls of AWS that handlers make, and lets them go wrong where a fault says so."""

from __future__ import annotations

import os
import signal
from contextvars import ContextVar
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from router.local.watch.needs import ANY, needs_of
from router.local.watch.sent import Layouts, links_sent
from router.session import _current
from router.testing.aws_calls import Listener
from router.testing.faulty_aws import FaultyAws

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.contract import Stack
    from router.local.entries import AwsCall, Needed
    from router.local.watch.permissions import Permissions
    from router.local.watch.seen import Seen, Span
    from router.resolver import Resolver
    from router.routing.route import Route
    from router.testing.aws_calls import ApiCall
    from router.testing.faults import Faults

HOP = "x-junction-hop"
"""The header that tells a server on this machine which call of a handler a request is: `<request id>/<number>`."""

_MOMENT = 0.4  # the chance that a doomed process ends right before a call of AWS, and that it ends right after

_unwatched: ContextVar[bool] = ContextVar("unwatched", default=False)


class AwsCalls(Listener):
    """Note calls of AWS.

    resolver: the application.
    current: returns the span that a call belongs to; None for none.
    faults: what goes wrong on purpose.
    account: of AWS, where a call names none.
    stack: what the application declares of its surroundings.
    """

    def __init__(
        self,
        resolver: Resolver,
        current: Callable[[], Span | None],
        faults: Faults,
        account: str,
        stack: Stack | None = None,
    ) -> None:
        self._resolver = resolver
        self._current = current
        self._faults = faults
        self._faulty = FaultyAws(faults)
        self._account = account
        self._stack = stack
        self._permissions: Permissions | None = None
        self._layouts = Layouts(_described)
        self.doomed: set[str] = set()

    # ---- while a call is made ------------------------------------------------------------------------------------

    def began(self, call: ApiCall) -> None:
        """Note what the call belongs to."""
        if not _unwatched.get():
            call.notes["span"] = self._current()

    def prepared(self, call: ApiCall) -> None:
        """Note a URL that is signed: whoever calls it does so with the rights of the handler."""
        if call.is_signed_only and not _unwatched.get():
            call.notes["span"] = self._current()
            self.ended(call)

    def sending(self, call: ApiCall, request: Any) -> Any:
        """Say to a server on this machine which call it is, and let faults hit it."""
        if _unwatched.get():
            return None
        span: Span | None = call.notes.get("span")
        if span is not None:
            self._perhaps_end(span)
            if span.seen.request_id and is_local(request.url):
                hop = call.notes.get("hop")
                if hop is None:
                    span.seen.hops += 1
                    hop = call.notes["hop"] = f"{span.seen.request_id}/{span.seen.hops}"
                request.headers[HOP] = hop
        return self._faulty.sending(call, request)

    def sent(self, call: ApiCall) -> None:
        """Let an answer get lost, where a fault says so."""
        if _unwatched.get():
            return
        span: Span | None = call.notes.get("span")
        if span is not None:
            self._perhaps_end(span)
        self._faulty.sent(call)

    def _perhaps_end(self, span: Span) -> None:
        if span.seen.request_id in self.doomed and self._faults.draw() < _MOMENT:
            end_process()

    # ---- afterwards ----------------------------------------------------------------------------------------------

    def ended(self, call: ApiCall) -> None:
        """Note a call that has ended. What goes wrong here is not the call's."""
        span: Span | None = call.notes.get("span")
        if span is None or span.seen.ended:
            return
        try:
            span.add_call(self._told(call), _route_here(span))
        except Exception as failure:
            from router.dispatch.tracebacks import log_error

            log_error("the watch did not understand a call of AWS", failure)

    def _told(self, call: ApiCall) -> AwsCall:
        needs: list[Needed] = [
            {"action": action, "resource": resource, "covered": None, "variables": []}
            for action, resource in needs_of(call, self._account)
        ]
        first: Needed = needs[0] if needs else _nothing(call)
        faults: list[str] = call.notes.get("faults", [])
        links = links_sent(call, self._layouts)
        if "hop" in call.notes:
            links.append(f"hop:{call.notes['hop']}")
        return {
            "at": call.at,
            "ms": round(call.ms, 3),
            "service": call.service,
            "operation": call.operation,
            "action": first["action"],
            "resource": first["resource"],
            "covered": None if needs else True,
            "error": None if call.error is None else code_of(call.error),
            "fault": next(iter(faults), None),
            "links": links,
            "needs": needs,
            "tries": call.tries,
            "faults": faults,
        }

    def judge(self, seen: Seen) -> None:
        """Say of each call whether its route may make it. It takes a while at first, so it is not done at the call."""
        spans = [*seen.spans, *seen.late.values(), seen.whole, *([] if seen.rest is None else [seen.rest])]
        for span in spans:
            for call, route in zip(span.calls, span.routes, strict=True):
                for need in call["needs"]:
                    self._judge(need, route)
                covered = [need["covered"] for need in call["needs"]]
                call["covered"] = None if None in covered else all(covered)

    def _judge(self, need: Needed, route: Route | None) -> None:
        service, resource = need["action"].partition(":")[0], need["resource"]
        permissions = self._permissions
        if permissions is None:
            # Imported here: an application that calls nothing of AWS does not pay for it.
            from router.local.watch.permissions import Permissions

            permissions = self._permissions = Permissions(self._resolver, self._account, self._stack)
        need["covered"] = permissions.covers(route, need["action"], resource)
        need["variables"] = permissions.variables(service, resource)


def _nothing(call: ApiCall) -> Needed:
    """Return what a call needs that needs no permission."""
    return {"action": f"{call.service}:{call.operation}", "resource": ANY, "covered": True, "variables": []}


def _route_here(span: Span) -> Route | None:
    event = span.event
    found: Any = getattr(_current.get(), "route", None) if event is None else event.route
    return None if found is None or found.name == "unrouted" else found


def code_of(error: BaseException) -> str:
    """Return the code of an error of AWS, else the name of its class."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code or type(error).__name__)


def is_local(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _described(client: Any, table: str) -> Any:
    token = _unwatched.set(True)
    try:
        return client.describe_table(TableName=table)
    finally:
        _unwatched.reset(token)


def end_process() -> None:
    """End this process at once, as a fault on purpose: no `finally` runs, nothing is flushed."""
    os.kill(os.getpid(), signal.SIGKILL)
