"""`Recorder`: keep real events as files, without their secrets, to replay them later.

    resolver.use(Recorder("recordings", redact=["card.number", "iban"], sample=0.01))

`junction replay` and `router.testing.replay` run them against the code of then; `docs/recording.md` tells more.
"""

from __future__ import annotations

from contextlib import contextmanager
from os import urandom

from router.dispatch.chain import Middleware
from router.dispatch.invocation import current_invocation
from router.durations import seconds
from router.errors import ConfigurationError
from router.event import Source
from router.middleware.recording.keeping import log_once, store_of
from router.middleware.recording.masks import Masks
from router.middleware.recording.replayed import is_local, is_replay
from router.middleware.recording.seen import Seen
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from os import PathLike

    from router.dispatch.chain import Around
    from router.dispatch.invocation import Invocation
    from router.durations import Duration
    from router.environment.needs import Need
    from router.event import Event
    from router.middleware.recording.keeping import Puts

_RESERVE = 0.1  # seconds of the call that are left for its answer
_WHOLE = 2**32
_ENOUGH = 100  # recordings after which a rule that has matched nothing is told of
_LAST = 2.0  # seconds at the end of the process for what is still being written to a bucket
_paused = 0  # while it is more than 0, nothing is recorded: a replay runs


class Recorder(Middleware):
    """Middleware that keeps calls of the function: the payload, the answer or the error, and which routes took it.

    Secrets are masked before anything is written: what `redact` names, the names in `ALWAYS` (`authorization`,
    `cookie`, `password` ...), what looks like a credential, and each of these values wherever else it is.
    Environments of ECS tasks and executions of durable functions are not recorded. No failure of it reaches an event;
    each kind of failure is logged once.

    to: the path of a folder, or an object with `put(key, body)`, such as `adapters.s3.S3(bucket="b")`.
    redact: further names, as `router.telemetry.Redact` takes them: `["card.number", "*.iban"]`.
    keep: names that are masked by default, and here are not: `["cookie"]`.
    sample: the part of calls that is kept, from 0 to 1.
    errors: whether calls that failed, or answered 500 and above, are kept in any case.
    most_bytes: the most bytes of a recording; a larger one is not kept.
    files: the most recordings; in S3 those of this process.
    total_bytes: the most bytes of all of them.
    full: when a folder is full: "oldest" deletes the oldest recording, "stop" keeps no more. In S3 it stops.
    prefix: of the keys in S3.
    budget: the time that Lambda waits for S3 at the end of a call, and never more than is left of it.

    Give it to `use()`, first of all: then it sees the answer that goes out.

    Raises:
        ConfigurationError: an argument is of another kind or out of range, or a rule can never match.
    """

    answers_errors = True
    outside_auth = True

    def __init__(
        self,
        to: str | PathLike[str] | Puts,
        *,
        redact: Iterable[str] = (),
        keep: Iterable[str] = (),
        sample: float = 1.0,
        errors: bool = True,
        most_bytes: int = 262_144,
        files: int = 1_000,
        total_bytes: int = 100_000_000,
        full: str = "oldest",
        prefix: str = "recordings/",
        budget: Duration = 1.0,
    ) -> None:
        if isinstance(sample, bool) or not isinstance(sample, int | float) or not 0 <= sample <= 1:
            raise ConfigurationError(f"Recorder(sample={sample!r:.80}): give a part from 0 to 1")
        for name, number in (("most_bytes", most_bytes), ("files", files), ("total_bytes", total_bytes)):
            if type(number) is not int or number < 1:
                raise ConfigurationError(f"Recorder({name}={number!r:.80}): give a whole number, 1 at least")
        if full not in ("oldest", "stop"):
            raise ConfigurationError(f'Recorder(full={full!r:.80}): use "oldest" or "stop"')
        self._masks = Masks(redact, keep=keep)
        self._below = int(sample * _WHOLE)
        self._errors = errors
        self._most = most_bytes
        self._store = store_of(to, prefix, files, total_bytes, full)
        self._budget = seconds(budget, "Recorder(budget=...)", most=600)
        self._hits: dict[str, int] = {}
        self.kept = 0
        self._told = False
        renewed(self)
        _tell_at_the_end(self)

    def _renew(self, *, forked: bool) -> None:
        from threading import Lock

        self._store.lock = Lock()
        if forked:
            self.kept, self._hits = 0, {}

    @property
    def unmatched(self) -> list[str]:
        """Return the rules of `redact` that have found nothing so far."""
        return [rule for rule in self._masks.rules if rule not in self._hits]

    def needs(self) -> list[Need]:
        """Return what it does in S3, for templates and policies."""
        return self._store.needs()

    def _tell_unmatched(self) -> None:
        if self.unmatched:
            from logging import getLogger

            names = ", ".join(self.unmatched)
            getLogger("router").warning("recorder: in %d recordings these rules matched nothing: %s", self.kept, names)

    # ---- each event ----------------------------------------------------------------------------------------------

    def __call__(self, event: Event) -> Around:
        invocation = current_invocation()
        seen = None if invocation is None else invocation.state.get(self)
        if seen is None:
            yield
            return
        seen.took(event)
        response = yield
        if event._speaks_http:
            seen.answered(response, self._most)

    # ---- the whole call ------------------------------------------------------------------------------------------

    def around_invocation(self, invocation: Invocation) -> Generator[None, None, None]:
        """Keep the payload before handlers can change it, and record the call once its outcome is known."""
        if _paused or not _is_recorded(invocation):
            return
        # Not of `random`: environments that are restored from one snapshot would all draw the same.
        drawn = self._below >= _WHOLE or (self._below > 0 and int.from_bytes(urandom(4), "big") < self._below)
        if not (drawn or self._errors):
            return
        try:
            seen = invocation.state[self] = Seen(invocation)
        except Exception as failure:  # the payload is none: it holds itself, or what JSON does not know
            log_once(self, "a payload was not kept", failure)
            return
        yield
        if not (drawn or seen.failed(invocation)):
            return
        everywhere = any(one is self for one in invocation.middleware)
        if not everywhere and not seen.routes:
            return
        try:
            self._record(invocation, seen)
        except Exception as failure:
            log_once(self, "an event was not kept", failure)

    def _record(self, invocation: Invocation, seen: Seen) -> None:
        from router.middleware.recording.writing import recording_of

        for what, size in (("payload", len(seen.payload)), ("stream", seen.stream_size)):
            if size > self._most:
                raise ValueError(f"the {what} has {size:,} bytes; most_bytes is {self._most:,}")
        made = recording_of(invocation, seen, self._masks)
        if made is None:
            return
        data = made.text().encode("utf-8", "surrogatepass")
        if len(data) > self._most:
            raise ValueError(f"the recording has {len(data):,} bytes; most_bytes is {self._most:,}")
        left = min(self._budget, invocation.remaining() - _RESERVE)
        if left <= 0:
            raise TimeoutError("the call has no time left for it")
        if self._store.keep(made.id, data, left):
            self.kept += 1
            for rule, count in made.redact["hits"].items():
                self._hits[rule] = self._hits.get(rule, 0) + count
            if self.kept == _ENOUGH:  # Lambda ends a process without a word
                self._tell_unmatched()
        elif not self._told:
            self._told = True
            from logging import getLogger

            getLogger("router").warning("recorder: %s is full; nothing more is kept", self._store)


def _is_recorded(invocation: Invocation) -> bool:
    outer = invocation.outer
    if invocation.source is Source.TASK or (outer is not None and outer.source is not Source.TASK):
        return False
    return not (is_replay(invocation.context) or hasattr(invocation.context, "durable_execution_arn"))


@contextmanager
def paused() -> Iterator[None]:
    """Record nothing inside of the block: a replay would be recorded."""
    global _paused
    _paused += 1
    try:
        yield
    finally:
        _paused -= 1


def _tell_at_the_end(recorder: Recorder) -> None:
    """Wait for the last recordings at the end of the process, and log which rules have matched nothing."""
    import atexit
    from weakref import ref

    held = ref(recorder)

    def tell() -> None:
        made = held()
        if made is None:
            return
        made._store.finish(_LAST)
        if made.kept and not is_local():  # there each saved file is the end of a process
            made._tell_unmatched()

    atexit.register(tell)
