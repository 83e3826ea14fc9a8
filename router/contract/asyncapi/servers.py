"""Describe where channels are: endpoints of AWS, brokers, and the WebSocket API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from router.contract.apis import WebSocketApi
from router.contract.declarations import Kafka
from router.contract.interface.reading import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.contract.asyncapi.kinds import Place
    from router.contract.resources import Resources

_REGION = {"region": {"description": "The region of AWS."}}
_ENDPOINTS = {
    "dynamodb": ("streams.dynamodb.{region}.amazonaws.com", "dynamodb-streams", "Amazon DynamoDB Streams"),
    "eventbridge": ("events.{region}.amazonaws.com", "eventbridge", "Amazon EventBridge"),
    "kinesis": ("kinesis.{region}.amazonaws.com", "kinesis", "Amazon Kinesis Data Streams"),
    "sns": ("sns.{region}.amazonaws.com", "sns", "Amazon SNS"),
    "sqs": ("sqs.{region}.amazonaws.com", "sqs", "Amazon SQS"),
}
_BROKERS = {
    "activemq": ("openwire", "Apache ActiveMQ"),
    "kafka": ("kafka", "Apache Kafka"),
    "rabbitmq": ("amqps", "RabbitMQ"),
}


class Servers:
    """The servers of a document.

    urls: where the application answers, the URL of each with what it is. Those of WebSocket APIs count.
    resources: that the stack declares.
    """

    def __init__(self, urls: Mapping[str, str], resources: Resources) -> None:
        self._resources = resources
        self._sockets = {url: text for url, text in urls.items() if urlsplit(url).scheme in ("ws", "wss")}
        self._made: dict[str, dict[str, Any]] = {}
        self._security: list[dict[str, str]] = []

    def secure(self, schemes: Iterable[str]) -> None:
        """Take in the names of the security schemes that WebSocket APIs ask for."""
        self._security = [{"$ref": f"#/components/securitySchemes/{name}"} for name in schemes]

    def all(self) -> dict[str, dict[str, Any]]:
        """Return those that were referred to, by id."""
        return {name: self._made[name] for name in sorted(self._made)}

    def references(self, place: Place) -> list[dict[str, str]]:
        """Return the references to the servers of a channel."""
        found: dict[str, dict[str, Any]] = {}
        for name in place.servers:
            if name == "websocket":
                security: dict[str, Any] = {"security": self._security} if self._security else {}
                found |= {key: one | security for key, one in self._of_sockets().items()}
            elif name == "kafka":
                found |= dict(self._of_kafka(place))
            else:
                found[name] = _server(name)
        self._made |= found
        return [{"$ref": f"#/servers/{name}"} for name in found]

    def _of_sockets(self) -> dict[str, dict[str, Any]]:
        found = {}
        for url, text in sorted(self._sockets.items()):
            parts = urlsplit(url)
            name = "websocket" if len(self._sockets) == 1 else f"websocket_{identifier(text or parts.netloc)}"
            found[name] = {"host": parts.netloc, "protocol": parts.scheme, "description": text or "The WebSocket API."}
            if parts.path.strip("/"):
                found[name]["pathname"] = parts.path
        return found or {"websocket": self._of_api()}

    def _of_api(self) -> dict[str, Any]:
        declared = self._resources.of(WebSocketApi)
        stage: dict[str, Any] = {"description": "The stage of the API."}
        if len(declared) == 1:
            stage["default"] = declared[0].stage
        return {
            "host": "{api}.execute-api.{region}.amazonaws.com",
            "pathname": "/{stage}",
            "protocol": "wss",
            "description": "The WebSocket API.",
            "variables": {"api": {"description": "The id of the API."}, **_REGION, "stage": stage},
        }

    def _of_kafka(self, place: Place) -> Iterable[tuple[str, dict[str, Any]]]:
        """Return the brokers of a topic, one server each."""
        for topic in self._resources.named(Kafka, place.name):
            for address in topic.servers:
                protocol = "kafka-secure" if topic.secret else "kafka"
                told = {"host": address, "protocol": protocol, "description": "A broker of Apache Kafka."}
                yield f"kafka_{identifier(address)}", told
            if topic.servers:
                return
        yield "kafka", _server("kafka")


def _server(name: str) -> dict[str, Any]:
    if name in _ENDPOINTS:
        host, protocol, text = _ENDPOINTS[name]
        return {"host": host, "protocol": protocol, "description": text, "variables": dict(_REGION)}
    if name == "appsync":
        return {
            "host": "{api}.appsync-realtime-api.{region}.amazonaws.com",
            "pathname": "/event/realtime",
            "protocol": "wss",
            "protocolVersion": "aws-appsync-event-ws",
            "description": "AWS AppSync Events",
            "variables": {"api": {"description": "The id of the API."}, **_REGION},
        }
    protocol, text = _BROKERS[name]
    variables = {"broker": {"description": "The address of a broker, `host:port`."}}
    return {"host": "{broker}", "protocol": protocol, "description": text, "variables": variables}
