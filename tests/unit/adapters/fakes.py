"""Clients that answer as they are told, for what a local server cannot be made to do."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from adapters.aws import Aws, Settings

SETTINGS = Settings(
    region="eu-west-1", account="123456789012", access_key_id="testing", secret_access_key="testing", backoff=0
)
TOPIC_ARN = "arn:aws:sns:eu-west-1:123456789012:order-events"
QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"


class FakeClient:
    """Keeps every call as (operation, parameters), and answers each with the next answer of its operation.

    An answer is a value, an exception to raise, or a function of the parameters; the last one stays.
    """

    def __init__(self, **answers: Any) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.meta = SimpleNamespace(endpoint_url="https://sqs.eu-west-1.amazonaws.com")
        self._answers = {name: list(held) if isinstance(held, list) else [held] for name, held in answers.items()}

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            self.calls.append((operation, deepcopy(parameters)))
            left = self._answers[operation]
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, Exception):
                raise answer
            return answer(parameters) if callable(answer) else answer

        return call

    def close(self) -> None:
        """Close nothing, as a client without connections does."""

    def parameters(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of each call of an operation."""
        return [held for name, held in self.calls if name == operation]


def fake_aws(clients: dict[str, Any], sleeps: list[float] | None = None, settings: Settings = SETTINGS) -> Aws:
    """An Aws with fake clients by service, which notes its pauses in place of making them."""
    return Aws(settings, clients=clients, sleep=(sleeps if sleeps is not None else []).append)


def refusal(code: str, message: str = "", status: int = 400, operation: str = "Publish") -> ClientError:
    """What botocore raises for an error answer."""
    metadata: Any = {"HTTPStatusCode": status, "RequestId": "request-1"}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation)


def taken(parameters: dict[str, Any], *refused: str, fault: bool = False) -> dict[str, Any]:
    """The answer to a batch: all taken but those of which the id is given."""
    entries = parameters.get("PublishBatchRequestEntries") or parameters["Entries"]
    ids = [entry["Id"] for entry in entries]
    return {
        "Successful": [{"Id": id, "MessageId": f"m{id}"} for id in ids if id not in refused],
        "Failed": [
            {"Id": id, "Code": "InternalError", "Message": "try again", "SenderFault": fault}
            for id in ids
            if id in refused
        ],
    }


def sent_ids(client: FakeClient, operation: str) -> list[list[str]]:
    """The ids of each batch that was sent."""
    return [
        [entry["Id"] for entry in held.get("PublishBatchRequestEntries") or held["Entries"]]
        for held in client.parameters(operation)
    ]
