"""Results as an idempotency store keeps them."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from json import loads  # orjson would make a float of an integer over 64 bits

from router.dispatch.chain import NOTHING
from router.encode import dumps
from router.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What DynamoDB can keep beside the rest of an item (400 KB).
LARGEST = 350 * 1024
_PLAIN = (type(None), bool, int, float, str, list, dict)
REPLAYED = "idempotency-replayed"


def written(result: Any) -> bytes | None:
    """Return a result as bytes; None for one that cannot be kept: it is no JSON, or too large."""
    try:
        text = dumps(_form(result))
    except (TypeError, ValueError):
        return None
    return text if len(text) <= LARGEST else None


def _form(result: Any) -> dict[str, Any]:
    """Return a result as JSON that tells what it is."""
    if isinstance(result, Response):
        return _of_response(result)
    if isinstance(result, bytes | bytearray | memoryview):  # of Firehose: as text they would be other data
        return {"base64": b2a_base64(result, newline=False).decode()}
    if type(result) not in _PLAIN:
        from router.sources.firehose import Transformed

        if isinstance(result, Transformed):
            return {"data": _form(result.data), "keys": result.partition_keys}
    return {"value": result}


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
    held: dict[str, Any] = loads(text)
    if "status" in held:
        return _response(held)
    result = _value(held)
    return NOTHING if result is None else result


def _value(held: dict[str, Any]) -> Any:
    if "base64" in held:
        return a2b_base64(held["base64"])
    if "keys" in held:
        from router.sources.firehose import Transformed

        return Transformed(_value(held["data"]), held["keys"])
    return held["value"]


def _response(held: dict[str, Any]) -> Response:
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
