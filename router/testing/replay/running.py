"""Replay recordings, and compare what comes out with what was recorded."""

from __future__ import annotations

import logging
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from router.middleware.recorder import paused
from router.middleware.recording.form import Recording, RecordingError, read_all
from router.middleware.recording.masks import Masks
from router.testing.replay.differences import Difference, Ignoring, compare
from router.testing.replay.filling import filled, signed_again
from router.testing.replay.network import no_network
from router.testing.replay.sending import Here
from router.testing.replay.settings import Settings, settings_of
from router.testing.replay.views import view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from router.resolver import Resolver
    from router.testing.replay.sending import Answered, Target

    Prepare = Callable[[Any, Recording], Any]

_REFUSALS = (401, 403)


@dataclass(slots=True)
class Outcome:
    """The outcome of one recording.

    recording: as it was read. answer, error: of now, without secrets. differences: from what was recorded.
    refused: calls that wanted out of this machine. because: errors that were logged meanwhile.
    left_out: why it was not replayed.
    """

    recording: Recording
    answer: Any = None
    error: dict[str, Any] | None = None
    differences: list[Difference] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    because: list[str] = field(default_factory=list)
    left_out: str | None = None

    @property
    def changed(self) -> bool:
        """Whether something differs, or a call wanted out of this machine."""
        return bool(self.differences or self.refused)

    def __str__(self) -> str:
        recording = self.recording
        title = f"{recording}  {', '.join(recording.routes) or recording.source}"
        lines = [str(one) for one in self.differences]
        lines += [f"refused: {one}" for one in self.refused]
        lines += [f"logged: {one}" for one in self.because]
        lines += [f"recorded then: {_told(one)}" for one in recording.failures if recording.error or "id" in one][:5]
        hint = self._hint()
        lines += [f"hint: {hint}"] if hint else []
        return "\n".join([title, *(f"    {line}" for text in lines for line in text.splitlines())])

    def _hint(self) -> str:
        """Return what may help where a mask is in the way."""
        masked = [one.removeprefix("payload.") for one in self.recording.masked if one.startswith("payload.")]
        status = next((one.after for one in self.differences if one.path == "status"), None)
        if not masked or status not in (*_REFUSALS, 400, 422):
            return ""
        return f"the recording has masks at {', '.join(masked[:4])}; fill gives them values of your own"

    def data(self) -> dict[str, Any]:
        """Return the outcome as JSON data."""
        return {
            "recording": str(self.recording),
            "file": None if self.recording.path is None else str(self.recording.path),
            "source": self.recording.source,
            "routes": self.recording.routes,
            "outcome": "left out" if self.left_out else "changed" if self.changed else "same",
            "differences": [one.data() for one in self.differences],
            "refused": self.refused,
            "logged": self.because,
            "left_out": self.left_out,
        }


def _told(failure: Mapping[str, Any]) -> str:
    what = f"{failure.get('type', 'an error')}: {failure.get('message', '')}"
    return f"{failure.get('id') or 'an event'} failed: {what}"


@dataclass(slots=True)
class Replay:
    """The outcome of all recordings. outcomes: in their order. problems: of rules that have met nothing."""

    outcomes: list[Outcome]
    problems: list[str]

    @property
    def changed(self) -> list[Outcome]:
        """Return the recordings of which the answer differs."""
        return [one for one in self.outcomes if one.changed]

    @property
    def left_out(self) -> list[Outcome]:
        """Return the recordings that could not be replayed there."""
        return [one for one in self.outcomes if one.left_out]

    def __str__(self) -> str:
        same = len(self.outcomes) - len(self.changed) - len(self.left_out)
        counts = [f"{len(self.changed)} changed", f"{same} the same"]
        counts += [f"{len(self.left_out)} left out"] if self.left_out else []
        passing = dict.fromkeys(one.passing for outcome in self.changed for one in outcome.differences if one.passing)
        hints = [f"hint: these look like ids and times; ignore them: {', '.join(passing)}"] if passing else []
        return "\n".join([*map(str, self.changed), *self.problems, *hints, ", ".join(counts)])

    def check(self) -> None:
        """Fail unless every answer is the recorded one, and every rule has met something.

        Raises:
            AssertionError: it shows the differences.
        """
        if self.changed or self.problems:
            raise AssertionError(f"recordings and this code differ:\n{self}")

    def data(self) -> dict[str, Any]:
        """Return the outcome as JSON data."""
        return {
            "recordings": len(self.outcomes),
            "changed": len(self.changed),
            "left_out": len(self.left_out),
            "problems": self.problems,
            "outcomes": [one.data() for one in self.outcomes],
        }


def recordings(folder: str | PathLike[str], *, unmatched: Iterable[str] = ()) -> list[Recording]:
    """Return the recordings in a folder, for `pytest.mark.parametrize("recording", recordings(...), ids=str)`.

    unmatched: rules of the recorder that need not have found anything, beside those that `replay.json` names.

    Raises:
        RecordingError: a file is not a recording, or a rule has found nothing in any of them.
    """
    found = read_all(folder)
    check_rules(found, settings_of(folder).also(unmatched=unmatched))
    return found


def check_rules(found: Iterable[Recording], settings: Settings) -> None:
    """Raise where a rule of the recorder has found nothing in any recording.

    Such a rule is misspelled, or what it should mask is in the recordings under another name.

    Raises:
        RecordingError: it names the rules.
    """
    rules: dict[str, int] = {}
    for recording in found:
        for rule in recording.rules:
            rules[rule] = rules.get(rule, 0) + int(recording.redact["hits"].get(rule, 0))
    idle = [rule for rule, hits in rules.items() if not hits and rule not in settings.unmatched]
    if idle:
        raise RecordingError(
            f"the rule {', '.join(map(repr, idle))} of the recorder has found nothing in any recording: is the name "
            "right? What it should mask may be in these files. `unmatched` names rules that need not find anything"
        )


def replayed(
    resolver: Resolver,
    what: str | PathLike[str] | Recording | Iterable[Recording],
    *,
    ignore: Iterable[str] = (),
    fill: Mapping[str, Any] | None = None,
    unmatched: Iterable[str] = (),
    prepare: Prepare | None = None,
    context: Any = None,
    network: bool = False,
) -> Replay:
    """Run recordings against a resolver, and compare the answers with the recorded ones, without secrets on both sides.

    what: a folder or a file, a recording, or some of them.
    ignore, fill, unmatched: beside those of `replay.json`; see `Settings`.
    prepare: `(payload, recording)`: returns the payload that is sent, such as with a token of the test.
    context: the Lambda context of each call; by default one with the function's ARN, tenant and client context.
    network: whether handlers may call other machines.

    Raises:
        RecordingError: a file is not a recording, or a rule of the recorder has found nothing.
        ConfigurationError: a rule of `ignore` or `fill` can never match.
    """
    if isinstance(what, Recording):
        what = [what]
    if isinstance(what, str | PathLike):
        found = read_all(what)
        settings = settings_of(what).also(ignore, fill, unmatched)
        check_rules(found, settings)
        whole = True
    else:
        found, whole = list(what), False
        beside = settings_of(found[0].path) if found and found[0].path is not None else Settings()
        settings = beside.also(ignore, fill, unmatched)
    return run(Here(resolver, context), found, settings, prepare=prepare, network=network, whole=whole)


def run(
    target: Target,
    found: list[Recording],
    settings: Settings,
    *,
    prepare: Prepare | None = None,
    network: bool = False,
    whole: bool = True,
    tell: Callable[[Outcome], object] | None = None,
) -> Replay:
    """Send recordings to a target.

    whole: whether these are all recordings of a folder; then each rule has to meet something.
    tell: is called after each recording.
    """
    ignoring = Ignoring(settings.ignore)
    values = settings.values()
    used: set[str] = set()
    outcomes: list[Outcome] = []
    here = isinstance(target, Here)
    with ExitStack() as stack:
        stack.enter_context(paused())
        refused = stack.enter_context(no_network()) if here and not network else []
        errors = stack.enter_context(_logged()) if here else []
        for recording in found:
            refused.clear()
            errors.clear()
            payload = filled(recording.payload, values, used)
            if isinstance(target, Here):
                payload = signed_again(payload, target.resolver.session_policy)
            if prepare is not None:
                payload = prepare(payload, recording)
            answered = target.send(recording, payload)
            secrets = [str(value) for value in values.values() if len(str(value)) > 5]
            outcome = _outcome(recording, answered, ignoring, secrets, http=not here)
            masks = _masks_of(recording)
            outcome.refused = list(dict.fromkeys(refused))
            if outcome.changed:
                outcome.because = [masks.apply(one, secrets).value for one in dict.fromkeys(errors)][:5]
            outcomes.append(outcome)
            if tell is not None:
                tell(outcome)
    problems = []
    if whole:
        problems += [f"ignore {rule!r} has met nothing in any answer" for rule in ignoring.unmatched]
        problems += [f"fill {rule!r} has met no mask" for rule in values if rule not in used]
    return Replay(outcomes, problems)


def _masks_of(recording: Recording) -> Masks:
    """Return the masks that a recording was made with, whatever the application masks now."""
    return Masks(recording.rules, keep=recording.redact["keep"])


def _outcome(
    recording: Recording, answered: Answered | None, ignoring: Ignoring, secrets: list[str], *, http: bool
) -> Outcome:
    if answered is None:
        return Outcome(recording, left_out="it is not a request of HTTP: send it to Lambda's Invoke")
    answer, error = answered
    masks = _masks_of(recording)
    now = masks.apply({"answer": answer, "error": error}, secrets).value
    then = masks.apply({"answer": recording.answer, "error": recording.error}).value
    before, after = view(then["answer"], then["error"]), view(now["answer"], now["error"])
    if http and "headers" in before and "headers" in after:
        # A server in front adds headers of its own.
        after["headers"] = {name: value for name, value in after["headers"].items() if name in before["headers"]}
    return Outcome(recording, now["answer"], now["error"], compare(before, after, ignoring))


def update(outcome: Outcome, library: str) -> None:
    """Write the answer of now into a recording's file."""
    recording = outcome.recording
    recording.answer, recording.error, recording.library = outcome.answer, outcome.error, library
    recording.failures = []
    recording.save()


@contextmanager
def _logged() -> Iterator[list[str]]:
    """Yield the errors that the library logs inside of the block, each on one line."""
    errors: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[1] is not None:
                errors.append(_one_line(record.exc_info[1]))

    keep = Keep(logging.ERROR)
    log = logging.getLogger("router")
    log.addHandler(keep)
    try:
        yield errors
    finally:
        log.removeHandler(keep)


def _one_line(error: BaseException) -> str:
    from traceback import extract_tb

    from router.errors import text_of
    from router.testing.own_code import is_own

    frames = extract_tb(error.__traceback__)
    own = [one for one in frames if is_own(one.filename)]
    where = f" ({Path((own or frames)[-1].filename).name}:{(own or frames)[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(text_of(error).split())[:500]}{where}"


__all__ = ["Outcome", "RecordingError", "Replay", "check_rules", "recordings", "replayed", "run", "update"]
