"""The forwarder: functions in the emulator that hand each event to the gateway, and the address that they call.

`POST /_local/forward/<function>?token=<token>&type=<type>` takes an event as JSON. The types are those of Lambda's API:

- `RequestResponse`: the answer is that of the function, as JSON. One that failed has the header
  `X-Amz-Function-Error: Unhandled`, and `errorType`, `errorMessage` and `stackTrace` in its body. The status is 200.
- `Event`: the status is 202 at once. The gateway calls the function, tries again and tells the queue of failed events,
  as Lambda does with events that come asynchronously.

`X-Amzn-Lambda-Request-Id` and `X-Amzn-Trace-Id` may come as headers.
"""

from __future__ import annotations

from hmac import compare_digest
from io import BytesIO
from typing import Literal
from urllib.parse import quote, urlencode
from zipfile import ZipFile, ZipInfo

PATH = "/_local/forward/"
ADDRESS = "JUNCTION_FORWARD"
"""The variable of a forwarder that holds the address."""
DIRECT = "MINISTACK_LAMBDA_PROXY_URL"
"""The variable by which MiniStack posts an event itself, without a process that runs the code. Others ignore it."""

Type = Literal["Event", "RequestResponse"]

# Runs in the emulator, with nothing but Python there.
_CODE = """
import json, os, urllib.error, urllib.request

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

def handler(event, context):
    headers = {"Content-Type": "application/json", "X-Amzn-Lambda-Request-Id": context.aws_request_id}
    if trace := os.environ.get("_X_AMZN_TRACE_ID"):
        headers["X-Amzn-Trace-Id"] = trace
    request = urllib.request.Request(os.environ["JUNCTION_FORWARD"], json.dumps(event).encode(), headers)
    left = max(context.get_remaining_time_in_millis() / 1000, 1)
    with _OPENER.open(request, timeout=left) as response:
        body = json.loads(response.read() or b"null")
        if not response.headers.get("X-Amz-Function-Error"):
            return body
    kind = type(str(body.get("errorType") or "Exception"), (Exception,), {"__module__": "builtins"})
    raise kind(body.get("errorMessage") or "")
"""


def address(gateway: str, function: str, token: str, kind: Type) -> str:
    """Return the address to which the events of a function are posted.

    gateway: its URL. function: the name in AWS. token: lets the emulator in, and nobody else.
    """
    return f"{gateway}{PATH}{quote(function)}?{urlencode({'token': token, 'type': kind})}"


def is_let_in(given: str | None, token: str) -> bool:
    """Return whether a request to the address comes from a forwarder. given: the `token` of its query."""
    return given is not None and compare_digest(given.encode(), token.encode())


def code() -> bytes:
    """Return the code of a forwarder, as a package for Lambda with the handler `forward.handler`."""
    made = BytesIO()
    with ZipFile(made, "w") as archive:
        archive.writestr(ZipInfo("forward.py"), _CODE)  # of a fixed time: the package stays the same from run to run
    return made.getvalue()
