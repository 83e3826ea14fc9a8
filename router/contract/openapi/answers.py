"""Make the answers of an operation: as the handler says, in the envelope of its route, errors as problem documents."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Never, NoReturn, Union, get_args

from router.contract.interface.answers import ANY_MEDIA, TEXT, media_of, result_of
from router.contract.interface.model import NOTHING
from router.contract.openapi.examples import examples_of
from router.convert.introspect import unwrapped
from router.convert.kinds import is_union
from router.encode import JSON
from router.errors import AppError, HTTPError
from router.http.statuses import reason
from router.response import PROBLEM, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.contract.interface import Answer, Operation
    from router.contract.openapi.own import Own
    from router.contract.schemas import Schemas
    from router.dispatch.envelope import Envelope
    from router.resolver import Resolver

_TEXT = {"type": "string"}
_ERRORS = {
    "type": "array",
    "description": "Each value that is missing or not valid.",
    "items": {
        "type": "object",
        "properties": {
            "at": {"type": "string", "description": "Its place.", "examples": ["body.quantity"]},
            "message": {"type": "string", "examples": ["is missing"]},
        },
        "required": ["at", "message"],
    },
}
_PROBLEM = {
    "title": {"type": "string", "description": "The phrase of the status."},
    "status": {"type": "integer", "minimum": 400, "maximum": 599},
    "detail": {"type": "string", "description": "What is wrong, in words."},
    "code": {"type": "string", "description": "The code of an error that the application has one for."},
    "errors": _ERRORS,
}
_WITHOUT_CONTENT = ("204", "205", "304")


class Answers:
    """Make the answers of the operations of one document.

    resolver: the application. schemas: those of its classes. own: the other components of the document.
    """

    def __init__(self, resolver: Resolver, schemas: Schemas, own: Own) -> None:
        engine = resolver._engine
        self._envelope: Any = engine.envelope
        self._problem_fields = dict(engine.problem_fields or {})
        self._catchers: Any = engine.catchers  # by the class of the error
        self._schemas = schemas
        self._own = own

    def of(self, one: Operation) -> dict[str, Any]:
        """Return the `responses` of an operation."""
        envelope = self._envelope_of(one)
        if envelope is not None and envelope.always_ok:
            made = self._all_ok(one, envelope)
        else:
            made = {answer.status: self._answer(one, answer, envelope) for answer in map(_of_errors, one.answers)}
        if envelope is not self._envelope and one.method != "HEAD":
            # What no route takes, such as a path whose `{id:int}` is not one, has the form of the whole application.
            held = made.setdefault("default", {"description": "The request reached no route"})
            held["content"] = self._refusal() | held.get("content", {})
        return made

    # ---- one answer ----------------------------------------------------------------------------------------------

    def _answer(self, one: Operation, answer: Answer, envelope: Envelope | None) -> dict[str, Any]:
        made: dict[str, Any] = {"description": answer.description}
        if headers := _headers(answer):
            made["headers"] = headers
        if content := self._content(one, answer, envelope):
            made["content"] = content
        return made

    def _content(self, one: Operation, answer: Answer, envelope: Envelope | None) -> dict[str, Any]:
        """Return what an answer holds, by media type; empty where there is no content."""
        media = answer.media_type
        if one.method == "HEAD" or not media or answer.annotation is None or _is_bare(answer.status):
            return {}
        examples = examples_of(answer.examples)
        in_json = envelope is not None and (media in (JSON, PROBLEM) or _is_text(answer))  # texts, too
        content: dict[str, Any] = {}
        for kind, part in _parts(answer, in_json=in_json):
            if envelope is not None and kind in (JSON, PROBLEM) and answer.status != "206":
                content[JSON] = {"schema": self._in_envelope(one, part, envelope)}
            else:
                content[kind] = {"schema": self._schema(one, part)} | examples
        if answer.status == "200" and media != ANY_MEDIA and _may_be_response(one):
            content[ANY_MEDIA] = {"schema": {}}
        if in_json:
            return content
        if media == PROBLEM and answer.annotation is NOTHING and self._is_caught(one, answer.status):
            content.setdefault(JSON, {"schema": {}})  # `catch` answers as it likes
        return content

    def _is_caught(self, one: Operation, status: str) -> bool:
        """Return whether a function of `catch` may answer in the place of a problem document."""
        for table in (*one.route.catchers, self._catchers):
            for kind, catcher in table.items():
                named = status == "default" or issubclass(kind, HTTPError)
                if named and catcher.result not in (NoReturn, Never):
                    return True
        return False

    def _schema(self, one: Operation, answer: Answer) -> dict[str, Any]:
        """Return the schema of what a handler answers, outside of any envelope."""
        if answer.annotation is NOTHING:
            return self._problem() if answer.media_type == PROBLEM else {}
        if answer.annotation is bytes:
            return {}
        return self._schemas.of(answer.annotation, f"{one.where}, the answer {answer.status}", output=True)

    def _refusal(self) -> dict[str, Any]:
        """Return what is answered outside of any route, by media type."""
        if self._envelope is None:
            return {PROBLEM: {"schema": self._problem()}}
        return {JSON: {"schema": self._failure(self._envelope)}}

    def _problem(self) -> dict[str, Any]:
        schema: dict[str, Any] = {
            "type": "object",
            "description": "An error (RFC 9457). Errors of the application may have further members.",
            "properties": dict(_PROBLEM),
            "required": ["title", "status", *self._problem_fields],
        }
        for name, repeated in self._problem_fields.items():
            kinds = {"type": ["string", "integer"]} if repeated == "status" else _TEXT
            schema["properties"].setdefault(name, {**kinds, "description": f"The same as `{repeated}`."})
        self._own.add("problem", "Problem", schema)
        return self._own.reference("problem")

    # ---- envelopes -----------------------------------------------------------------------------------------------

    def _envelope_of(self, one: Operation) -> Envelope | None:
        own = one.route.envelope
        held = self._envelope if own is None else own
        return None if held is None or held == "off" else held

    def _in_envelope(self, one: Operation, answer: Answer, envelope: Envelope) -> dict[str, Any]:
        if answer.media_type == PROBLEM:
            return self._failure(envelope)
        code, message, duration, data = envelope.names
        is_error = answer.status.startswith(("4", "5"))
        properties = {
            code: _TEXT if is_error else {"type": "string", "const": envelope.success},
            message: _TEXT if is_error else {"type": "string", "const": envelope.success_message},
            duration: _duration(),
            data: self._schema(one, answer),
        }
        return _object(properties)

    def _failure(self, envelope: Envelope) -> dict[str, Any]:
        code, message, duration, data = envelope.names
        properties = {
            code: {"type": "string", "description": "The code of the error."},
            message: {"type": "string", "description": "What is wrong, in words."},
            duration: _duration(),
            data: {
                "type": ["object", "null"],
                "description": "What an error says beside code and message.",
                "properties": {"errors": _ERRORS},
            },
        }
        self._own.add(id(envelope), "Failure", _object(properties))
        return self._own.reference(id(envelope))

    def _all_ok(self, one: Operation, envelope: Envelope) -> dict[str, Any]:
        """Return the answers of a route whose envelope has 200 for all: those outside of it keep their status."""
        made: dict[str, Any] = {}
        inside: list[Answer] = []
        beside: dict[str, Any] = {}  # what is sent as it is
        for answer in map(_of_errors, one.answers):
            held = self._answer(one, answer, envelope)
            if JSON in held.get("content", {}) and answer.status != "206":
                inside.append(answer)
                beside |= {kind: one for kind, one in held["content"].items() if kind != JSON}
            else:
                made[answer.status] = held
        good = [answer for answer in inside if answer.media_type != PROBLEM]
        schemas = [self._in_envelope(one, answer, envelope) for answer in good]
        schemas.append(self._failure(envelope))
        told = "; ".join(dict.fromkeys(answer.description for answer in inside))
        made["200"] = {
            "description": f"Every answer: the code says which. {told}".strip(),
            "content": {JSON: {"schema": {"anyOf": schemas} if len(schemas) > 1 else schemas[0]}} | beside,
        }
        return {status: made[status] for status in sorted(made)}


def _of_errors(answer: Answer) -> Answer:
    """Return the answer that classes of errors stand for: `responses={409: SoldOut}` is a problem document."""
    kinds = get_args(answer.annotation) if is_union(answer.annotation) else (answer.annotation,)
    if not all(isinstance(kind, type) and issubclass(kind, HTTPError) for kind in kinds):
        return answer
    documents = [_problem_of(kind, answer) for kind in kinds]
    title = documents[0]["title"]
    told = [str(one.get("detail", title)) for one in documents] if answer.description == title else []
    return replace(
        answer,
        annotation=NOTHING,
        media_type=PROBLEM,
        examples=answer.examples or tuple(one for one in documents if len(one) > 2),
        description="; ".join(dict.fromkeys(told)) or answer.description,
    )


def _problem_of(kind: type[HTTPError], answer: Answer) -> dict[str, Any]:
    """Return the problem document of a class of errors."""
    status = int(answer.status) if answer.status.isdecimal() else kind.status
    document: dict[str, Any] = {"title": reason(status), "status": status}
    message = getattr(kind, "message", None)
    if isinstance(message, str):
        document["detail"] = message
    if issubclass(kind, AppError) and kind.code:
        document["code"] = kind.code
    return document


def _may_be_response(one: Operation) -> bool:
    """Return whether a handler answers a Response in the place of something else, `Order | Response`."""
    if any(str(status).startswith("2") for status in one.route.responses or ()):
        return False
    result = unwrapped(result_of(one.route))
    members = get_args(result) if is_union(result) else ()
    return any(isinstance(kind, type) and issubclass(kind, Response) for kind in members)


def _parts(answer: Answer, *, in_json: bool) -> Iterator[tuple[str, Answer]]:
    """Return the media types of an answer, each with what comes as it: `Order | str` is JSON or text.

    in_json: whether texts are written as JSON, as an envelope does.
    """
    parts = media_of(answer.annotation)
    if answer.media_type != next(iter(parts)):
        yield answer.media_type, answer  # as `media_type=` says
        return
    if in_json and TEXT in parts:
        of_json = [parts.pop(media) for media in (JSON, TEXT) if media in parts]
        parts = {JSON: Union[tuple(of_json)], **parts}  # noqa: UP007 - of values, which `|` does not take
    for media, part in parts.items():
        yield media, replace(answer, annotation=part, media_type=media)


def _is_text(answer: Answer) -> bool:
    """Return whether a handler answers a text: it is data in an envelope, but for one with a media type of its own."""
    return answer.media_type == TEXT and list(media_of(answer.annotation)) == [TEXT]


def _is_bare(status: str) -> bool:
    return status in _WITHOUT_CONTENT or status.startswith("1")


def _headers(answer: Answer) -> dict[str, Any]:
    """Return the headers of an answer; the content type is told otherwise."""
    named = {name: text for name, text in answer.headers.items() if name.lower() != "content-type"}
    return {name: ({"description": text} if text else {}) | {"schema": dict(_TEXT)} for name, text in named.items()}


def _duration() -> dict[str, Any]:
    return {"type": "number", "description": "Seconds."}


def _object(properties: dict[str | None, Any]) -> dict[str, Any]:
    held = {name: schema for name, schema in properties.items() if name is not None}
    return {"type": "object", "properties": held, "required": list(held)}
