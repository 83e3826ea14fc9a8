"""Answers of AWS that nobody gave: a refusal for too many requests, or an error of the service, in its own form."""

from __future__ import annotations

import json
from html import escape
from io import BytesIO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.testing.aws_calls import ApiCall

_REQUEST_ID = "00000000-0000-4000-8000-00000000fa17"  # recognisable: no service has answered
_OF_S3 = {"ThrottlingException": ("SlowDown", 503), "InternalServerError": ("InternalError", 500)}


def throttled(call: ApiCall, request: Any, why: str) -> Any:
    """Return the answer of a service that refuses a request for now. botocore tries again, as with a real one.

    request: of botocore. why: the rule, for the message.
    """
    return _answer(call, request, "ThrottlingException", 400, f"Rate exceeded (a fault on purpose: {why})")


def failed(call: ApiCall, request: Any, why: str) -> Any:
    """Return the answer of a service that fails."""
    return _answer(call, request, "InternalServerError", 500, f"The service failed (a fault on purpose: {why})")


def timed_out(request: Any, why: str) -> Exception:
    """Return the error of botocore for an answer that does not come in time."""
    from botocore.exceptions import ReadTimeoutError

    failure: Exception = ReadTimeoutError(endpoint_url=f"{request.url} (a fault on purpose: {why})")
    return failure


def _answer(call: ApiCall, request: Any, code: str, status: int, message: str) -> Any:
    from botocore.awsrequest import AWSResponse

    protocol = str(call.client.meta.service_model.resolved_protocol)
    headers = {"x-amzn-requestid": _REQUEST_ID}
    if call.service == "s3":
        code, status = _OF_S3[code]
    if protocol in ("query", "ec2", "rest-xml"):
        headers["content-type"] = "text/xml"
        body = _xml(protocol, code, message).encode()
    elif protocol == "smithy-rpc-v2-cbor":
        headers |= {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        body = _cbor({"__type": code, "message": message})
    else:
        headers |= {"content-type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
        body = json.dumps({"__type": code, "message": message}).encode()
    held: Any = headers
    return AWSResponse(request.url, status, held, _Raw(body))


class _Raw(BytesIO):
    """A body as urllib3 would have it."""

    def stream(self, **_: Any) -> Any:
        yield self.read()


def _xml(protocol: str, code: str, message: str) -> str:
    error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    if protocol == "rest-xml":
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'
    if protocol == "ec2":
        return f"<Response><Errors>{error}</Errors><RequestID>{_REQUEST_ID}</RequestID></Response>"
    return f"<ErrorResponse>{error}<RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"


def _cbor(value: dict[str, str]) -> bytes:
    """Return texts by name as CBOR (RFC 8949): a map with less than 24 members."""
    held = bytes([0xA0 + len(value)])
    for name, text in value.items():
        for one in (name, text):
            data = one.encode()
            held += b"\x79" + len(data).to_bytes(2, "big") + data
    return held
