"""IoT Core asks: may a device connect (custom authorizer), may it be provisioned (pre-provisioning hook)?

A handler returns `Allow(...)`, `Deny()`, False or IoT's own form; anything else denies.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Mapping

from router.encode import dumps, plain
from router.errors import ConfigurationError
from router.event import Event, Source
from router.http.headers import check_text
from router.sources import _decisions
from router.sources._decisions import check_seconds, decided
from router.sources._replies import dig, headers_in, json_bytes, object_at, text_at, text_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.http.headers import Headers, QueryParams
    from router.sources._decisions import Decision

# IoT developer guide, "Defining your Lambda function".
_MOST_POLICIES, _LONGEST_POLICY, _LONGEST_PRINCIPAL = 10, 2048, 128
_SHORTEST, _HOUR, _DAY = 300, 3600, 86_400
_WILD = ("*", "?", "${")  # in a policy of IoT


class IotAuthorizerEvent(Event):
    """A device that wants to connect. `text` is its token, `name` how it comes: `mqtt`, `http` or `tls`."""

    __slots__ = ()
    _from_client = True

    @property
    def signature_verified(self) -> bool:
        """Whether IoT has checked the signature of the token. False where the authorizer does without one."""
        return self.raw.get("signatureVerified") is True

    @property
    def protocols(self) -> list[str]:
        """The protocols of the connection: `["tls", "http", "mqtt"]` is MQTT over a WebSocket."""
        held = self.raw.get("protocols")
        return [one for one in held if type(one) is str] if type(held) is list else []

    @property
    def username(self) -> str | None:
        """The user name of MQTT, without the parameters that may follow its `?`; None where there is none."""
        sent = text_at(self.raw, "protocolData", "mqtt", "username")
        return None if sent is None else sent.partition("?")[0]

    @property
    def password(self) -> bytes | None:
        """The password of MQTT; None where there is none."""
        sent = dig(self.raw, "protocolData", "mqtt", "password")
        if sent is None:
            return None
        try:
            return a2b_base64(sent, strict_mode=True)
        except (ValueError, TypeError):
            self._refuse("iot-authorizer protocolData.mqtt.password: not valid base64")

    @property
    def client_id(self) -> str | None:
        """The client id of MQTT, which the device chooses; None where there is none."""
        return text_at(self.raw, "protocolData", "mqtt", "clientId")

    @property
    def server_name(self) -> str | None:
        """The host name that TLS was opened with; None where it is not told."""
        return text_at(self.raw, "protocolData", "tls", "serverName")

    @property
    def _identity(self) -> str:
        """The token that IoT found where it was told to look."""
        return text_at(self.raw, "token") or ""

    def _id(self) -> str:
        return text_at(self.raw, "connectionMetadata", "id") or super()._id()

    def _name(self) -> str:
        return next((one for one in ("mqtt", "http", "tls") if one in self.protocols), "")

    def _text(self) -> str:
        return self._identity

    def _body(self) -> bytes:
        return text_bytes(self, self.text, "token")

    def _headers(self) -> Headers:
        return headers_in(self, self.raw, "protocolData", "http", "headers")

    def _query(self) -> QueryParams:
        """Return the query of HTTP, or the parameters behind the user name of MQTT."""
        from urllib.parse import parse_qsl

        from router.http.headers import QueryParams

        text = text_at(self.raw, "protocolData", "http", "queryString")
        if text is None:
            text = (text_at(self.raw, "protocolData", "mqtt", "username") or "").partition("?")[2]
        values: dict[str, list[str]] = {}
        for name, value in parse_qsl(text.removeprefix("?"), keep_blank_values=True):
            values.setdefault(name, []).append(value)
        return QueryParams(values)

    def _decided(self, decision: Decision) -> dict[str, Any]:
        if not decision.allows:
            return {"isAuthenticated": False}
        decision.refuse(self.source, "context", "resources", "usage_key", "policy", "denied_fields")
        if decision.policies is None:
            raise ConfigurationError(
                f"{decision} of iot-authorizer: give policies=[...]: without one nothing is allowed"
            )
        return _checked_connection(
            self,
            {
                "isAuthenticated": True,
                "principalId": decision.principal,
                "policyDocuments": decision.policies,
                "disconnectAfterInSeconds": _DAY if decision.disconnect_after is None else decision.disconnect_after,
                "refreshAfterInSeconds": _HOUR if decision.ttl is None else decision.ttl,
            },
        )

    def _finished(self, answer: dict[str, Any]) -> dict[str, Any] | None:
        allows = answer.get("isAuthenticated")
        if allows is False:
            return answer
        return _checked_connection(self, answer) if allows is True else None


def _checked_connection(event: IotAuthorizerEvent, answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer that lets a device in.

    Raises:
        ConfigurationError: IoT would not take it, or what the client sent would widen a policy.
    """
    principal = answer.get("principalId")
    if not isinstance(principal, str) or not principal.isascii() or not principal.isalnum():
        raise ConfigurationError(f"iot-authorizer: the principal is letters and digits alone, not {principal!r:.80}")
    if len(principal) > _LONGEST_PRINCIPAL:
        raise ConfigurationError(f"iot-authorizer: the principal has over {_LONGEST_PRINCIPAL} characters")
    for key in ("disconnectAfterInSeconds", "refreshAfterInSeconds"):
        if key in answer:
            check_seconds(f"iot-authorizer {key}", answer[key], _SHORTEST, _DAY)
    for sent in (event.client_id, event.username):
        # Whoever builds a policy with it would allow more than was meant. No device needs such a name.
        if sent and any(wild in sent for wild in _WILD):
            event._refuse("iot-authorizer: the client id or user name has characters that are wildcards in a policy")
    return {**answer, "policyDocuments": _policies(answer.get("policyDocuments"))}


def _policies(documents: Any) -> list[Any]:
    """Return policy documents in plain values, or as the JSON text that they are."""
    if not isinstance(documents, list | tuple) or not 1 <= len(documents) <= _MOST_POLICIES:
        raise ConfigurationError(f"iot-authorizer: give a list of 1 to {_MOST_POLICIES} policies")
    for document in documents:
        if not isinstance(document, str | Mapping) or not document:
            raise ConfigurationError(f"iot-authorizer: a policy is a mapping or text, not {type(document).__name__}")
        if len(document if isinstance(document, str) else dumps(document)) > _LONGEST_POLICY:
            raise ConfigurationError(f"iot-authorizer: a policy has over {_LONGEST_POLICY:,} characters")
    policies: list[Any] = plain(documents)
    return policies


class ProvisioningEvent(Event):
    """A device that wants to be provisioned. `name` is the template, the body the device's parameters."""

    __slots__ = ()
    _from_client = True

    @property
    def certificate_id(self) -> str:
        """The id of the certificate that the device will have; the event's id as well."""
        return str(self.raw["certificateId"])

    @property
    def claim_certificate_id(self) -> str | None:
        """The id of the claim certificate that it came with; None where it needed none."""
        return text_at(self.raw, "claimCertificateId")

    @property
    def certificate_pem(self) -> str:
        """The certificate that the device will have, in PEM form."""
        return text_at(self.raw, "certificatePem") or ""

    @property
    def client_id(self) -> str | None:
        """The client id of the device, which it chooses."""
        return text_at(self.raw, "clientId")

    def _id(self) -> str:
        return text_at(self.raw, "certificateId") or super()._id()

    def _name(self) -> str:
        return str(self.raw["templateArn"]).rpartition("/")[2]

    def _params(self) -> dict[str, Any]:
        return object_at(self.raw, "parameters")

    def _parsed(self) -> Any:
        return self.params

    def _body(self) -> bytes:
        return json_bytes(self, self.params, "parameters")

    def _decided(self, decision: Decision) -> dict[str, Any]:
        if not decision.allows:
            return {"allowProvisioning": False}
        decision.refuse(self.source, "resources", "usage_key", "policy", "denied_fields", "ttl")
        decision.refuse(self.source, "policies", "disconnect_after")
        answer: dict[str, Any] = {"allowProvisioning": True}
        if decision.context:
            answer["parameterOverrides"] = _overrides(decision.context)
        return answer

    def _finished(self, answer: dict[str, Any]) -> dict[str, Any] | None:
        if type(answer.get("allowProvisioning")) is not bool:
            return None
        if answer.get("parameterOverrides") is not None:
            _overrides(answer["parameterOverrides"])
        return answer


def _overrides(parameters: Any) -> dict[str, str]:
    if not isinstance(parameters, Mapping):
        raise ConfigurationError(f"iot-provisioning: overrides are a mapping, not {type(parameters).__name__}")
    for name, value in parameters.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ConfigurationError(f"iot-provisioning: the parameter {name!r:.80} is overridden by text alone")
        check_text("iot-provisioning: the name of a parameter", name)
        check_text(f"iot-provisioning: the parameter {name}", value)
    return dict(parameters)


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the device that asks."""
    kind = IotAuthorizerEvent if source is Source.IOT_AUTHORIZER else ProvisioningEvent
    return [kind(source, raw, context, raw)]


def answer(event: IotAuthorizerEvent | ProvisioningEvent, result: Any) -> Any:
    """Return the decision as IoT expects it. Anything that is not a decision is treated as Deny and logged."""
    return decided(event, result)


failed = _decisions.failed
