"""`FaultyAws`: applies the rules of `Faults` to calls of AWS, at each try of botocore."""

from __future__ import annotations

from time import sleep

from router.session import _current
from router.testing.aws_calls import Listener
from router.testing.fault_answers import failed, throttled, timed_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.testing.aws_calls import ApiCall
    from router.testing.faults import Effects, Faults

_LOST = "lost answer"


class FaultyAws(Listener):
    """Let calls of AWS go wrong, by some rules.

    faults: the rules.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def sending(self, call: ApiCall, request: Any) -> Any:
        """Throw the dice for one try, and do what the rules say that hit."""
        call.notes.pop(_LOST, None)
        effects = self._faults.on_aws(call.service, call.operation, route_here(), also=call.name)
        if not effects:
            return None
        call.notes.setdefault("faults", []).append(effects.name)
        return self._hit(call, request, effects)

    def _hit(self, call: ApiCall, request: Any, effects: Effects) -> Any:
        if effects.ms:
            sleep(effects.ms / 1000)
        if (rule := effects.rule("throttle")) is not None:
            return throttled(call, request, rule.id)
        if (rule := effects.rule("fail")) is not None:
            if rule.ms:
                sleep(rule.ms / 1000)
                raise timed_out(request, rule.id)
            return failed(call, request, rule.id)
        if (rule := effects.rule("lost answer")) is not None:
            call.notes[_LOST] = timed_out(request, rule.id)
        return None

    def sent(self, call: ApiCall) -> None:
        """Lose the answer, where a rule says so: the service has done it, and botocore tries again."""
        lost = call.notes.pop(_LOST, None)
        if lost is not None:
            raise lost


def route_here() -> str:
    """Return the route whose handler runs here, as text; empty outside of a handler."""
    route = getattr(_current.get(), "route", None)
    return "" if route is None else str(route)
