"""Errors of calls to other services. Each names the resource and says what to do.

Messages never hold credentials, signatures or what was sent. Those with an `answer` are HTTP errors as well, with a
status of their own; of any other one a client sees a 500 and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from router.errors import ConfigurationError, RouterError, ServiceUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


_LONGEST = 4000  # characters of a message


class AdapterError(RouterError):
    """A call to another service failed.

    service, operation, resource: what was called (`sns`, `publish`, the topic). code: the service's own word for it.
    retryable: whether the same call may succeed later. request_id: what AWS support asks for.
    repeated: whether botocore had sent the call before, so that an earlier try may have been done after all.
    old: the item that a condition of DynamoDB did not hold for, where the call asked for it. No message shows it.
    """

    answer = ""  # what a client is told over HTTP, by those that are HTTP errors
    repeated = False
    old: Mapping[str, Any] | None = None

    def __init__(
        self,
        message: str,
        *,
        service: str = "",
        operation: str = "",
        resource: str = "",
        code: str = "",
        retryable: bool = False,
        request_id: str = "",
    ) -> None:
        super().__init__(_sendable(message))
        if self.answer:
            self.detail: str | None = self.answer  # read by the HTTPError that a subclass is as well
        self.service = service
        self.operation = operation
        self.resource = resource
        self.code = code
        self.retryable = retryable
        self.request_id = request_id


class EventLoopBlocked(ConfigurationError):
    """A verb for sync code was called on a running event loop; the message names the twin to await.

    `Settings(blocking="warn")` makes it a warning.
    """


def _sendable(message: str) -> str:
    """Return a message that can be sent and read: names in it may be anybody's text."""
    text = message if message.isascii() else message.encode(errors="backslashreplace").decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"


class AccessDenied(AdapterError):
    """The identity that called may not do this, or its keys are not valid."""


class ResourceNotFound(AdapterError, LookupError):
    """The topic, queue, object or whatever else was named does not exist."""


class TableMismatch(AdapterError, ConfigurationError):
    """There is a DynamoDB table of this name with other keys, indexes or expiry: another program's, or an older one."""


class Throttled(AdapterError, ServiceUnavailable):
    """The service refused for the rate of calls, after all attempts. Over HTTP it is a 503."""

    answer = "a service that this needs is busy; try again later"


class WriteConflict(AdapterError, ServiceUnavailable):
    """Another write of the same thing was under way at every attempt; nothing was changed. Over HTTP it is a 503.

    It says nothing about the outcome of the other write, and the same call may succeed later (`retryable`).
    """

    answer = "it is being changed by others at this moment; try again"


class CredentialsMissing(AdapterError):
    """No credentials were found, or a profile or a token of theirs is not there."""


class CredentialsExpired(AdapterError):
    """The credentials are past their end and nothing renews them."""


class ConnectionFailed(AdapterError, ServiceUnavailable, ConnectionError):
    """The service could not be reached, or did not answer in time. What was sent may have arrived.

    Over HTTP it is a 503.
    """

    answer = "a service that this needs cannot be reached"


class InvalidMessage(AdapterError, ValueError):
    """The message cannot be sent as it is; `errors` lists what a model refused, as `{"at": ..., "message": ...}`."""

    def __init__(self, message: str, *, errors: Sequence[Mapping[str, str]] = (), **where: Any) -> None:
        super().__init__(message, **where)
        self.errors = list(errors)


class MessageTooLarge(InvalidMessage):
    """The message is over what the service takes: shorten it, or offload its body to S3."""


class OffloadRefused(InvalidMessage):
    """A pointer to a body in S3 that is malformed, names a place that is not allowed, or does not fit the object."""


class OffloadMissing(ResourceNotFound):
    """The body that a pointer names is not in S3 (any more)."""


@dataclass(frozen=True, slots=True)
class FailedEntry:
    """One message of a batch that was not taken.

    entry: as it was given. code, message: the service's; `NotTried` for one that was not tried. index: its position.
    """

    index: int
    entry: Any
    code: str
    message: str
    sender_fault: bool = False


class PartialFailure(AdapterError):
    """Some messages of a batch were not taken, after all attempts.

    failed: a FailedEntry for each. sent: the ids of those that were taken, by position.
    """

    entries = "messages"

    def __init__(self, failed: Sequence[FailedEntry], sent: Mapping[int, str], reason: str = "", **where: Any) -> None:
        self.failed = list(failed)
        self.sent = dict(sent)
        named = "; ".join(f"{_numbers(entries)}: {why}" for why, entries in _by_reason(self.failed).items())
        total = len(self.failed) + len(self.sent)
        what = f"{where.get('service', '')}.{where.get('operation', '')} {where.get('resource', '')}"
        message = f"{what}: {len(self.failed)} of {total} {self.entries} failed: {named}"
        super().__init__(f"{message} ({reason})" if reason else message, **where)


def _by_reason(failed: Sequence[FailedEntry]) -> dict[str, list[int]]:
    reasons: dict[str, list[int]] = {}
    for entry in failed:
        reason = f"{entry.code} {safe(entry.message)}".strip()
        reasons.setdefault(reason, []).append(entry.index)
    return reasons


def _numbers(positions: Sequence[int]) -> str:
    return ", ".join(f"#{position}" for position in positions)


def safe(text: str) -> str:
    """Return a service's text on one line, short, without the values, keys and signatures that some of them repeat."""
    import re

    text = re.sub(r"Value '.*?' at '", "the value at '", " ".join(text.split()), flags=re.DOTALL)
    text = re.sub(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b", "(a key id)", text)
    text = re.sub(r"(?i)((?:signature|security-token|credential)[\"']?\s*[=:]\s*)[^\s&,;]+", r"\1(hidden)", text)
    text = re.sub(r"(?i)(encoded authorization failure message:?)\s*\S+", r"\1 (hidden)", text)
    return text if len(text) <= 300 else f"{text[:300]}..."
