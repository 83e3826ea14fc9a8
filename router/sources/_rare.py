"""Rules of sources that few applications have. `_registry` imports them when a payload has a key that opens one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def is_appsync_authorizer(raw: dict[str, Any]) -> bool:
    return (
        type(raw.get("authorizationToken")) is str
        and "methodArn" not in raw
        and "routeArn" not in raw
        and "httpMethod" not in raw
        and "queryString" in _at(raw, "requestContext")
    )


def is_event_api_authorizer(raw: dict[str, Any]) -> bool:
    context = _at(raw, "requestContext")
    return (
        type(raw.get("authorizationToken")) is str
        and type(context.get("operation")) is str
        and "channel" in context
        and "queryString" not in context
        and not ("methodArn" in raw or "routeArn" in raw or "httpMethod" in raw)
    )


def is_channel(raw: dict[str, Any]) -> bool:
    """Tell an Event API's channel by its namespace and operation; AppSync GraphQL has a field and arguments."""
    info = _at(raw, "info")
    return (
        type(info.get("channelNamespace")) is dict
        and type(info.get("operation")) is str
        and "fieldName" not in info
        and "arguments" not in raw
    )


def is_alexa(raw: dict[str, Any]) -> bool:
    request, context = raw.get("request"), raw.get("context")
    return (
        type(request) is dict
        and type(request.get("type")) is str
        and ("session" in raw or (type(context) is dict and "System" in context))
        and "triggerSource" not in raw
    )


def is_alexa_home(raw: dict[str, Any]) -> bool:
    # Version 3 wraps it in a directive; version 2 has the header at the top.
    directive = raw.get("directive")
    if type(directive) is dict:
        return type(directive.get("header")) is dict
    header = raw.get("header")
    namespace = header.get("namespace") if type(header) is dict else None
    return type(namespace) is str and namespace.startswith("Alexa.") and "payload" in raw


def is_iot_button(raw: dict[str, Any]) -> bool:
    # IoT 1-Click and the IoT button; what an IoT rule selects has no shape of its own and is `invoke`.
    if type(raw.get("deviceInfo")) is dict and type(raw.get("deviceEvent")) is dict:
        return True
    return type(raw.get("serialNumber")) is str and type(raw.get("clickType")) is str and "batteryVoltage" in raw


def is_iot_authorizer(raw: dict[str, Any]) -> bool:
    return (
        type(raw.get("protocolData")) is dict
        and type(raw.get("connectionMetadata")) is dict
        and type(raw.get("protocols")) is list
    )


def is_provisioning(raw: dict[str, Any]) -> bool:
    # Without claimCertificateId where a trusted user or a CA of the account's own registers the device.
    return (
        type(raw.get("templateArn")) is str
        and type(raw.get("certificateId")) is str
        and type(raw.get("parameters")) is dict
    )


def is_transfer(raw: dict[str, Any]) -> bool:
    # Neither password nor sourceIp is always there: a key has none, and a test of the server may leave both out.
    server = raw.get("serverId")
    return (
        type(server) is str
        and server.startswith("s-")
        and type(raw.get("username")) is str
        and raw.get("protocol") in ("SFTP", "FTPS", "FTP", "AS2")
    )


def calls_a_tool(context: object) -> bool:
    """Tell the call of a tool, which is asked of the context in the place of the payload."""
    from router.sources._client_context import tool_in

    return tool_in(context) is not None


def _at(raw: dict[str, Any], key: str) -> dict[str, Any]:
    value = raw.get(key)
    return value if type(value) is dict else {}
