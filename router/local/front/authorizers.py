"""Ask an authorizer before a call, as API Gateway does: identity sources, answers kept for a time, policies."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from router.event import Source
from router.local.calls import Call
from router.local.front import tokens
from router.local.front.policies import NoPolicy, judge
from router.local.front.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.local.calls import Origin, Outcome
    from router.local.front.caller import Caller
    from router.local.front.request import Incoming
    from router.local.front.surroundings import Api

_KEPT = 1000
_WAIT = 10.0  # seconds (quotas of API Gateway: the response of a Lambda authorizer)


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: dict[str, Any]
    until: float


class Authorizers:
    """Decides who is let in. clock: in seconds."""

    def __init__(self, caller: Caller, clock: Callable[[], float] = time.monotonic) -> None:
        self._caller = caller
        self._clock = clock
        self._answers: OrderedDict[tuple[Source, str], _Kept] = OrderedDict()

    def forget(self) -> None:
        """Forget all answers: the application is another one."""
        self._answers.clear()

    async def admit(
        self,
        source: Source,
        api: Api,
        request: Incoming,
        called: str,
        function: str,
        payload: Callable[[list[str]], dict[str, Any]],
    ) -> Any:
        """Return what stands in `requestContext.authorizer`.

        called: the ARN of what is called. function: that is asked.
        payload: makes the event of the authorizer of the identity that was found.

        Raises:
            Refused: the request is not let in.
        """
        identity = _identity(api, request)
        if not identity:
            kind, _, name = api.identity.partition(":")
            where = f"the header {name}" if kind == "header" else f"the query parameter {name}"
            raise Refused(
                "unauthorized", f"{where} is missing or empty: API Gateway answers by itself, and asks no authorizer"
            )
        if api.issuer:
            return tokens.of_issuer(identity, api)
        if api.user_pools:
            return tokens.of_pool(identity, api)
        answer = await self._answer(source, api, identity, function, payload)
        return _decided(source, answer, called)

    async def _answer(
        self, source: Source, api: Api, identity: str, function: str, payload: Callable[[list[str]], dict[str, Any]]
    ) -> dict[str, Any]:
        key = (source, identity)
        kept = self._answers.get(key)
        if kept is not None and kept.until > self._clock():
            return kept.answer
        origin: Origin = "websocket" if source is Source.WEBSOCKET else "http"
        outcome = await self._caller.ask(Call(payload([identity]), origin, function), _WAIT)
        answer = _checked(source, outcome)
        if api.cached and source is not Source.WEBSOCKET:
            self._answers[key] = _Kept(answer, self._clock() + api.cached)
            self._answers.move_to_end(key)
            if len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
        return answer


def _identity(api: Api, request: Incoming) -> str:
    kind, _, name = api.identity.partition(":")
    if kind == "header":
        return (request.header(name.lower()) or "").strip()
    return next((value for key, value in request.query if key == name), "")


def _checked(source: Source, outcome: Outcome | None) -> dict[str, Any]:
    """Return the answer of an authorizer.

    Raises:
        Refused: it failed, or answered with what API Gateway does not take.
    """
    if outcome is None:
        raise Refused("authorizer failed", "the authorizer took longer than API Gateway waits for it")
    if outcome.became != "answered":
        error = outcome.error or {}
        if error.get("errorMessage") == "Unauthorized" and source is not Source.HTTP:
            raise Refused("unauthorized", "the authorizer raised Unauthorized")
        raise Refused(
            "authorizer failed",
            f"the authorizer {outcome.became}: {error.get('errorType', '')} {error.get('errorMessage', '')}".rstrip(),
        )
    if type(outcome.answer) is not dict:
        raise Refused("authorizer failed", f"the authorizer answered {outcome.answer!r:.80}, which is no decision")
    return outcome.answer


def _decided(source: Source, answer: dict[str, Any], called: str) -> Any:
    """Return the context of an answer that lets a request in.

    Raises:
        Refused: it does not.
    """
    context = answer.get("context")
    if source is Source.HTTP and "isAuthorized" in answer:
        if answer["isAuthorized"] is not True:
            raise Refused("denied", "the authorizer answered isAuthorized: false")
        return {"lambda": context}
    try:
        judgement = judge(answer.get("policyDocument"), called)
    except NoPolicy as error:
        raise Refused("authorizer failed", f"the answer of the authorizer is no decision: {error}") from None
    if judgement == "deny":
        raise Refused("denied", f"the policy of the authorizer denies {called}")
    if judgement == "nothing":
        raise Refused(
            "not allowed",
            f"the policy of the authorizer says nothing of {called}. Answers are kept for a time, so a policy should "
            "cover all that the caller may call",
        )
    if source is Source.HTTP:
        return {"lambda": context}
    return _flat(answer, context)


def _flat(answer: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return the context as REST and WebSocket APIs hand it on: texts, with the principal beside them.

    Raises:
        Refused: a value is neither text, number nor boolean.
    """
    principal = answer.get("principalId")
    if type(principal) is not str or not principal:
        raise Refused("authorizer failed", "the answer of the authorizer has no principalId")
    held: dict[str, Any] = {"principalId": principal, "integrationLatency": 0}
    for name, value in (context or {}).items():
        if type(value) is bool:
            held[name] = "true" if value else "false"
        elif type(value) in (str, int, float):
            held[name] = str(value)
        elif value is not None:
            raise Refused(
                "authorizer failed",
                f"context.{name} of the authorizer is nested: API Gateway takes texts, numbers and booleans",
            )
    return held
