"""HTTP answers that are more than a 200 with JSON: headers, cookies, bodies. Imported with the first of them."""

from __future__ import annotations

from binascii import b2a_base64

import orjson

from router.errors import AnswerTooLarge, EncodeError
from router.event import Source
from router.http.headers import check_header, check_text
from router.sources import Unsent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from router.event import Event
    from router.response import Response

# Lambda's limit for a synchronous answer (Lambda quotas).
LIMIT = 6 * 1024 * 1024
# JSON makes at most six bytes of a character, so that a body this short fits even an ALB (1 MB) without being measured.
SURELY_FITS = (1024 * 1024 - 64 * 1024) // 6
# Base64 has no such characters.
_ENCODED_FITS = 1024 * 1024 - 64 * 1024
# Answers without content (RFC 9110 §15.3.5, §15.3.6, §15.4.5).
BODILESS = frozenset((204, 205, 304))
_REST = Source.REST


class Prepared(bytes):
    """A body that is sent many times: it keeps how it looks in base64."""

    base64: str

    def __new__(cls, content: bytes) -> Prepared:
        made = super().__new__(cls, content)
        made.base64 = b2a_base64(content, newline=False).decode()
        return made


def answer_response(event: Event, response: Response) -> dict[str, Any]:
    """Return a Response as an API or a function URL expects it. Raises AnswerTooLarge."""
    answer: dict[str, Any] = {"statusCode": response.status}
    many = headers_of(response)
    cookies = cookies_of(response) if response.cookies or "set-cookie" in many else []
    if event.source is _REST:
        if cookies:
            many["set-cookie"] = cookies
        answer["multiValueHeaders"] = many
    else:
        if cookies:
            many.pop("set-cookie", None)
            answer["cookies"] = cookies
        answer["headers"] = joined(many)
    put_body(answer, event, response)
    return answer if surely_fits(answer) else fitting(answer, LIMIT)


def surely_fits(answer: dict[str, Any]) -> bool:
    """Whether an answer needs not be measured: every source takes a body as short as this."""
    size = len(answer["body"])
    return size < SURELY_FITS or (size < _ENCODED_FITS and answer["isBase64Encoded"])


def put_body(answer: dict[str, Any], event: Event, response: Response) -> None:
    """Put the body of a Response into an answer, as text or in base64. Raises Unsent where it is still to be read."""
    body = response.body
    if body is None and hasattr(response, "chunks"):
        raise Unsent(response)  # type: ignore[arg-type]  # a StreamResponse, whose class is not imported for it
    bodiless = event.method == "HEAD" or response.status in BODILESS
    answer["isBase64Encoded"] = isinstance(body, bytes) and not bodiless
    if bodiless or body is None:
        answer["body"] = ""
    elif isinstance(body, bytes):
        answer["body"] = body.base64 if type(body) is Prepared else b2a_base64(body, newline=False).decode()
    else:
        if not body.isascii():
            check_text("the body of the answer", body)
        answer["body"] = body


def headers_of(response: Response) -> dict[str, list[str]]:
    """Return the headers of a response; nothing is said of content that is not there (RFC 9110 §8.3, §8.6)."""
    many = response.headers.handed_over()
    if response.status in (204, 205):
        many.pop("content-type", None)
        many.pop("content-length", None)
    return many


def joined(many: Mapping[str, list[str]]) -> dict[str, str]:
    """Return headers with one value a name."""
    return {name: values[0] if len(values) == 1 else ", ".join(values) for name, values in many.items()}


def cookies_of(response: Response) -> list[str]:
    """Return each Set-Cookie of a response, those that were added as headers first; they are never joined by commas."""
    for cookie in response.cookies:
        check_header("set-cookie", cookie)  # the list is open to anything
    return [*response.headers.multi().get("set-cookie", ()), *response.cookies]


def fitting(answer: dict[str, Any], limit: int) -> dict[str, Any]:
    """Return the answer. Raises AnswerTooLarge over the limit, which says by how much."""
    try:
        size = len(orjson.dumps(answer))
    except orjson.JSONEncodeError as error:
        raise EncodeError(f"the answer cannot be written as JSON: {error}") from None
    if size > limit:
        raise AnswerTooLarge(f"the answer has {size:,} bytes; this source takes {limit:,}")
    return answer
