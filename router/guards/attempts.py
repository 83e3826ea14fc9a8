"""An attempt to do something once: its key, its owner, and what becomes of it while somebody else has the key."""

from __future__ import annotations

from secrets import token_hex
from time import monotonic, time

from router.dispatch.chain import NOTHING
from router.errors import Conflict, UnprocessableContent
from router.event import Source
from router.guards.digests import digest
from router.guards.results import read
from router.idempotency import Claim
from router.signals import Retry
from router.sources._registry import RECORD_SOURCES, ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Event
    from router.idempotency import Stored

_BROKERS = (Source.KAFKA, Source.ACTIVEMQ, Source.RABBITMQ)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class KeyReused(UnprocessableContent):
    """An idempotency key that was used for something else."""


class Attempt:
    """One try to handle an event that may have been handled already.

    owner: by whom, where that one may begin anew; None where nobody comes back.
    wait_for: the seconds to wait for somebody who is handling it; None for not at all.
    """

    def __init__(
        self,
        key: str,
        fingerprint: str,
        event: Event,
        *,
        owner: str | None,
        in_progress_for: float,
        keep_for: float,
        wait_for: float | None,
    ) -> None:
        self.key = key
        self.comes_back = owner is not None
        self.owner = token_hex(16) if owner is None else _owner(owner, event)
        self.name = f"{event.route} {event.id}"
        self._fingerprint = fingerprint
        self._event = event
        self._in_progress_for = in_progress_for
        self._keep_for = keep_for
        self._give_up = monotonic() + (wait_for or 0)
        self._waits = wait_for is not None
        self._pause = _FIRST_PAUSE

    def claim(self) -> Claim:
        """Return the claim of now."""
        now = time()
        return Claim(self.owner, self._fingerprint, now, now + self._in_progress_for, now + self._keep_for)

    def answer(self, stored: Stored) -> Any:
        """Return the answer to an event that was handled already; None for one that is being handled, to wait for.

        Raises:
            KeyReused: its key was used for something else.
            Conflict, Retry: it is being handled, and is not waited for; or an answer is due that could not be kept.
        """
        if stored.fingerprint != self._fingerprint:
            raise KeyReused("this idempotency key was used for another request")
        if not stored.done:
            return None
        self._event.state["replayed"] = True  # for what counts: it is not done again
        if stored.result is not None:
            return read(stored.result)
        if self._event._speaks_http:
            raise Conflict("this request was done already; its answer could not be kept")
        if _is_answered(self._event):
            # None would be an answer, too: to Firehose and CloudFront, to let go on what came as it came.
            raise Conflict("this was done already; its result could not be kept")
        return NOTHING

    def pause(self, stored: Stored) -> float:
        """Return the seconds until the store is asked again; twice as many each time.

        Raises:
            Conflict, Retry: it has been waited for long enough.
        """
        left = self._give_up - monotonic()
        if not self._waits or left <= 0 or self._event.remaining() < 2 * _LONGEST_PAUSE:
            self._refuse(stored)
        pause = min(self._pause, _LONGEST_PAUSE, left)
        self._pause *= 2
        return pause

    def _refuse(self, stored: Stored) -> None:
        after = max(1, min(60, round(stored.running_until - time())))
        if self._event.source in RECORD_SOURCES and not self._event._from_client:
            raise Retry(after, "the same is being handled at the moment")
        raise Conflict("the same request is being handled at the moment", headers={"retry-after": after})


def _is_answered(event: Event) -> bool:
    """Whether somebody waits for what the handler returns: a caller, or the records after it in a tumbling window."""
    return ROWS[event.source].kind in ("reply", "transform") or getattr(event, "window", None) is not None


def execution(event: Event) -> str | None:
    """Return the name (ARN) of the durable execution that an event is handled in; None outside of one.

    Its handler is run anew from the start after each pause. The context is ours, or that of the durable execution SDK.
    """
    context = event.context
    for holder in (context, *(getattr(context, name, None) for name in ("execution_context", "state"))):
        arn = getattr(holder, "durable_execution_arn", None)
        if isinstance(arn, str) and arn:
            return arn
    return None


def _owner(owner: str, event: Event) -> str:
    """Return an owner as a store knows it. Of records each has one: two with one key are no attempt and its replay."""
    return digest(owner, own_key(event) if event.source in RECORD_SOURCES else "")


def own_key(event: Event) -> str:
    """Return the key of an event that is no request: its id, and where that counts.

    Ids of a broker are its own. Those of Kafka are offsets: they begin anew in another cluster, and in a topic that was
    deleted and made again. The time of the record tells the latter apart.
    """
    id, raw = event.id, event.raw
    if event.source not in _BROKERS:
        return id
    when = event.record.get("timestamp") if event.source is Source.KAFKA else ""
    return digest(id, str(raw.get("eventSourceArn") or raw.get("bootstrapServers")), str(when))


def fingerprint(event: Event, chosen: bool) -> str:
    """Return what tells one request from another; empty where the key is the event's own id."""
    if event._speaks_http or (event.route is not None and event.route.request is not None):
        query = (part for pair in event.query.multi_items() for part in pair)
        return digest(event.method, event.path, event.body.decode("latin-1"), *query)
    return digest(_content(event).decode("latin-1")) if chosen and event.body else ""


def _content(event: Event) -> bytes:
    """Return the body without the session that travels in the detail of a bus event: each sending signs it anew."""
    detail: Any = event.json() if event.source is Source.EVENTBRIDGE else None
    metadata = detail.get("metadata") if type(detail) is dict else None
    if type(metadata) is not dict or event._policy.attribute not in metadata:
        return event.body
    from router.encode import dumps

    others = {name: value for name, value in metadata.items() if name != event._policy.attribute}
    return dumps({**detail, "metadata": others})
