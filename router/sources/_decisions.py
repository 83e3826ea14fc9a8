"""`Allow` and `Deny`: what an authorizer decides, before it gets the form that the asking service understands."""

from __future__ import annotations

from collections.abc import Mapping

from router.encode import plain
from router.errors import ConfigurationError, Forbidden, Unauthorized
from router.http.headers import check_text
from router.sources._replies import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, ClassVar, Protocol

    from router.event import Source

    class Asking(Protocol):
        """The event of a service that asks for a decision."""

        source: Source
        name: str

        def _decided(self, decision: Decision) -> dict[str, Any]:
            """Return a decision in the form that the service understands."""

        def _finished(self, answer: dict[str, Any]) -> dict[str, Any] | None:
            """Return an answer that is in the service's own form already; None for what is no decision."""


class Decision:
    """The base of `Allow` and `Deny`. It says who and what; each service gets the form that it understands."""

    __slots__ = (
        *("context", "denied_fields", "disconnect_after", "policies", "policy", "principal", "resources", "ttl"),
        "usage_key",
    )
    allows: ClassVar[bool]

    def __init__(
        self,
        principal: str = "user",
        *,
        context: Mapping[str, Any] | None = None,
        resources: str | Iterable[str] | None = None,
        usage_key: str | None = None,
        policy: bool = False,
        denied_fields: str | Iterable[str] = (),
        ttl: float | None = None,
        policies: Iterable[Mapping[str, Any] | str] | None = None,
        disconnect_after: int | None = None,
    ) -> None:
        check_line("principal", principal)
        self.principal = principal
        if usage_key is not None:
            check_line("usage_key", usage_key)
        if context is not None and not isinstance(context, Mapping):
            raise ConfigurationError(f"{self}: context takes a mapping, not {type(context).__name__}")
        self.context = context
        self.resources = None if resources is None else _each(resources)
        for resource in self.resources or ():
            check_line("a resource", resource)
        self.usage_key = usage_key
        self.policy = policy
        self.denied_fields = _each(denied_fields)
        for field in self.denied_fields:
            check_line("a denied field", field)
        self.ttl = ttl
        self.policies = policies if policies is None or isinstance(policies, str | Mapping) else tuple(policies)
        self.disconnect_after = disconnect_after

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.principal!r})"

    def refuse(self, source: Source, *options: str) -> None:
        """Refuse options that would be dropped, and with them perhaps a limit that somebody relies on.

        Raises:
            ConfigurationError: one of these options was given. A `Deny` denies whatever it says besides.
        """
        held = ((name, getattr(self, name)) for name in options if self.allows)
        given = [f"{name}=" for name, value in held if value is not None and value is not False and value != ()]
        if given:
            raise ConfigurationError(f"{self} of {source}: {', '.join(given)} has no meaning there; leave it out")


class Allow(Decision):
    """Let the request pass. An option that has no meaning for the asking service is refused.

    principal: who it is. context: what the function behind it is told: text, numbers and booleans (payload 2.0 of an
        HTTP API takes lists and objects, too). Of a provisioning hook: the parameters to override.
    resources: what the policy covers; the method that was called, if not given. A policy is kept for the token as long
        as the authorizer's cache says: where several routes share an authorizer, give `"*"` (all of this stage),
        patterns like `"GET /orders/*"`, or full ARNs. An empty list denies. The simple answer of payload 2.0 names
        none: it allows what was called if it is among them. It is kept for the token all the same, for every route:
        turn the cache off, add `$context.routeKey` to the identity source, or answer with `policy=True`.
    usage_key: the API key for a REST API's usage plan. policy: answer an HTTP API 2.0 with a policy.
    denied_fields: of AppSync: fields that come out null.
    ttl: seconds to keep the decision: of AppSync, and of IoT until the policies are asked for again (300 to 86,400;
        an hour by default).
    policies: of IoT: 1 to 10 policy documents, as mappings or JSON text, which say what the device may do.
    disconnect_after: of IoT: seconds until the connection is closed (300 to 86,400; a day by default).
    """

    __slots__ = ()
    allows = True


class Deny(Decision):
    """Turn the request away: a 403. Raise `Unauthorized` for a 401 of API Gateway. Arguments as of `Allow`."""

    __slots__ = ()
    allows = False


# ---- answers -------------------------------------------------------------------------------------------------------


def decided(event: Asking, result: Any) -> Any:
    """Return the decision as the service expects it. Anything that is not a decision is treated as Deny and logged."""
    if isinstance(result, Decision):
        return written(event._decided(result))
    if type(result) is dict:
        finished = event._finished(plain(result))
        if finished is not None:
            return finished
    if type(result) is not bool:
        undecided(event.source, event.name, f"returned {type(result).__name__}, which is no decision")
    return written(event._decided(Allow() if result is True else Deny()))


def undecided(source: Source, name: str, why: str) -> None:
    """Log why an event of a source is denied, although nobody said so."""
    from logging import getLogger

    getLogger("router").warning("%s %r %s: denied", source.value, name, why)


def failed(event: Asking, error: Exception) -> Any:
    """Deny for Forbidden and Unauthorized. The rest fails the call, and with it what was asked for."""
    if isinstance(error, Unauthorized | Forbidden):
        return written(event._decided(Deny()))
    raise error


# ---- checks --------------------------------------------------------------------------------------------------------


def checked_context(context: Mapping[str, Any] | None, *, nested: bool = False) -> dict[str, Any]:
    """Return the context in plain values. A service fails a request whose context holds what it does not take."""
    values: dict[str, Any] = plain(context or {})
    for name, value in values.items():
        scalar = type(value) in (str, int, float, bool)
        if not scalar and not (nested and value is not None):
            kind = "null" if value is None else type(value).__name__
            raise ConfigurationError(f"authorizer context {name!r}: this API takes text, numbers, booleans, not {kind}")
        if type(value) is str and any(char in value for char in "\r\n\0"):
            raise ConfigurationError(f"authorizer context {name!r}: CR, LF and NUL are refused; encode the value")
    return values


def check_line(what: str, text: Any) -> None:
    """Refuse what is no text of one line: it reaches integrations as a header, and logs as a line."""
    if not isinstance(text, str) or not text or any(char in text for char in "\r\n\0"):
        raise ConfigurationError(f"{what} must be text without CR, LF and NUL, not {text!r:.80}")
    check_text(what, text)


def check_seconds(what: str, value: Any, least: int, most: int) -> None:
    """Refuse what is no whole number of seconds within limits."""
    if type(value) is not int or not least <= value <= most:
        raise ConfigurationError(f"{what}: give whole seconds from {least:,} to {most:,}, not {value!r:.40}")


def _each(texts: str | Iterable[str]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts)
