"""Results as an idempotency store keeps them."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

import orjson

from router.dispatch.chain import NOTHING
from router.encode import dumps
from router.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What DynamoDB can keep beside the rest of an item (400 KB).
LARGEST = 350 * 1024
REPLAYED = "idempotency-replayed"


def written(result: Any) -> bytes | None:
    """Return a result as bytes; None for one that cannot be kept: it is no JSON, or too large."""
    try:
        text = dumps(_of_response(result) if isinstance(result, Response) else {"value": result})
    except (TypeError, ValueError):
        return None
    return text if len(text) <= LARGEST else None


def _of_response(response: Response) -> dict[str, Any]:
    body: Any = response.body
    if isinstance(body, bytes):
        body = {"base64": b2a_base64(body, newline=False).decode()}
    return {
        "status": response.status,
        "headers": response.headers.multi(),
        "cookies": response.cookies,
        "body": body,
    }


def read(text: bytes) -> Any:
    """Return the result that was written: a Response that says it is a replay, or a value; NOTHING for None."""
    held: dict[str, Any] = orjson.loads(text)
    if "value" in held:
        return NOTHING if held["value"] is None else held["value"]
    body = held["body"]
    if isinstance(body, dict):
        body = a2b_base64(body["base64"])
    response = Response(body, held["status"])
    response.headers.pop("content-type", None)
    for name, values in held["headers"].items():
        for value in values:
            response.headers.add(name, value)
    response.headers[REPLAYED] = "true"
    response.cookies.extend(held["cookies"])
    return response
