"""Describe the headers of messages: the session with its correlation id, and the trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.event import Source

if TYPE_CHECKING:
    from router.routing.route import Route
    from router.session import Policy

WITH_HEADERS = frozenset({Source.SQS, Source.SNS, Source.KAFKA, Source.ACTIVEMQ, Source.RABBITMQ})
"""Sources whose messages have attributes, headers or properties."""

_FIELDS = (
    "`tenant`, `user`, `claims` (what was vouched for), `correlation_id` (of everything that one request led to), "
    "`attributes`, and `traceparent` (the trace of the sender)"
)
_SIGNED = f"""Whose work the message is, as the text of a JSON object. It is signed with HMAC-SHA256 and has

- `for`: the purpose, `message`
- `kid`: the id of the key
- `exp`: when it expires, in seconds since the epoch
- `sig`: the signature
- `payload`: the session as JSON text, with {_FIELDS}

Signed are purpose, key id, expiry and payload. The body and the other headers of the message are not. A session that is
unsigned, altered, expired, of an unknown key or signed for another purpose is refused, and the message fails."""
_UNSIGNED = f"""Whose work the message is, as the text of a JSON object with {_FIELDS}.

Nothing is signed: whoever may send messages may write any session."""
_TRACES = {
    "traceparent": "The trace of the sender, as of W3C Trace Context. The one in the session comes before it.",
    "tracestate": "What tracing systems add to `traceparent`.",
}


def header_schemas(policy: Policy) -> dict[str, dict[str, Any]]:
    """Return the schemas of all headers, by their names."""
    found: dict[str, dict[str, Any]] = {policy.attribute: session_schema(policy)}
    legacy = policy.legacy
    if legacy is not None:
        text = "The session in the form of older services, which is read where the other one is not there."
        found[legacy.attribute] = {"type": "string", "description": text}
    return found | {name: {"type": "string", "description": text} for name, text in _TRACES.items()}


def session_schema(policy: Policy) -> dict[str, Any]:
    """Return the schema of a session's wire form."""
    text = _UNSIGNED if policy.signing is None else _SIGNED
    believed = getattr(policy, "unsigned_from", None)
    if believed is not None:
        of = f"those of {', '.join(sorted(believed))}" if believed else "none"
        text = f"{text}\n\nOf unsigned sessions {of} are believed, unless a route says otherwise."
    return {"type": "string", "contentMediaType": "application/json", "description": text}


def correlation_id(policy: Policy) -> dict[str, Any]:
    """Return where the correlation id of a message stands."""
    text = "The field `correlation_id` of the session; without one, the id of the message."
    return {"description": text, "location": f"$message.header#/{policy.attribute}"}


def required_of(route: Route, policy: Policy) -> tuple[str, ...]:
    """Return what the session of a message has to hold."""
    return policy.require if route.require is None else route.require
