"""Cognito: triggers of a user pool by `triggerSource`, and the sync trigger of an identity pool.

Cognito wants the event back, with the `response` filled in. A handler returns what goes into the response
(`{"autoConfirmUser": True}`), the whole event, or nothing to let the event pass.
"""

from __future__ import annotations

from router.errors import ConfigurationError
from router.event import Event, Source
from router.sources._replies import json_bytes, object_at, plain_answer, raise_told, text_at, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The part of the event that the handler fills in.
_FILLED_IN = {Source.COGNITO: "response", Source.COGNITO_SYNC: "datasetRecords"}


class CognitoEvent(Event):
    """One trigger; its body is the payload."""

    __slots__ = ()

    def _name(self) -> str:
        return text_at(self.raw, "triggerSource" if self.source is Source.COGNITO else "eventType") or ""

    def _claims(self) -> dict[str, Any]:
        return object_at(self.raw, "request", "userAttributes")

    def _body(self) -> bytes:
        return json_bytes(self, self.raw, "event")

    def _parsed(self) -> Any:
        return self.raw


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the trigger."""
    return [CognitoEvent(source, raw, context, raw)]


def answer(event: Event, result: Any) -> Any:
    """Return the event back: as it came, with the handler's values in its response, or as the handler returned it."""
    if result is None:
        return written(event.raw)
    result = plain_answer(result)
    if type(result) is not dict:
        raise ConfigurationError(
            f"the handler of {event.name} must return a mapping for the response, the event or None, "
            f"not {type(result).__name__}"
        )
    part = _FILLED_IN[event.source]
    if part in result or "triggerSource" in result or "eventType" in result:
        return written({**event.raw, **result})
    return written({**event.raw, part: {**object_at(event.raw, part), **result}})


def failed(event: Event, error: Exception) -> Any:
    """Replace the message of an error that is not the library's: Cognito shows it to the client."""
    raise_told(error)


# By the first part of triggerSource. What is not here, such as a new trigger, has no class.
_DATA_CLASSES = {
    "PreSignUp": "PreSignUpTriggerEvent",
    "PostConfirmation": "PostConfirmationTriggerEvent",
    "UserMigration": "UserMigrationTriggerEvent",
    "CustomMessage": "CustomMessageTriggerEvent",
    "PreAuthentication": "PreAuthenticationTriggerEvent",
    "PostAuthentication": "PostAuthenticationTriggerEvent",
    "DefineAuthChallenge": "DefineAuthChallengeTriggerEvent",
    "CreateAuthChallenge": "CreateAuthChallengeTriggerEvent",
    "VerifyAuthChallengeResponse": "VerifyAuthChallengeResponseTriggerEvent",
    "CustomEmailSender": "CustomEmailSenderTriggerEvent",
    "CustomSMSSender": "CustomSMSSenderTriggerEvent",
    "TokenGeneration": "PreTokenGenerationV2TriggerEvent",
}


def data_class(event: Event) -> str | None:
    """Return the class of a trigger."""
    trigger = event.name.partition("_")[0]
    if trigger == "TokenGeneration" and event.raw.get("version") in (None, "1"):
        return "cognito_user_pool_event.PreTokenGenerationTriggerEvent"
    name = _DATA_CLASSES.get(trigger)
    return None if name is None else f"cognito_user_pool_event.{name}"
