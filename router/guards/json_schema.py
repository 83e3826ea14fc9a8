"""`JsonSchema`: check body, query and headers of an event against JSON Schemas, as they are.

    @resolver.post("/orders", middleware=[JsonSchema(body="schemas/order.json")])

The validator is jsonschema-rs. Its messages quote values, so those here are our own: no value is answered or logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from router.convert.scalars import MOST_ERRORS, refusal
from router.dispatch.chain import Middleware
from router.errors import ConfigurationError, UnsupportedMediaType
from router.guards.schema_faults import Faults, named
from router.http.headers import is_json_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from router.dispatch.chain import Around
    from router.event import Event

    Schema = Mapping[str, Any] | str | Path
    Check = Callable[[Event], Iterable[tuple[list[Any], str]]]

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_DEEPEST = 100


class JsonSchema(Middleware):
    """Middleware that refuses events whose parts do not fit a schema: 422 with each fault and its place.

    body: the schema of the body, of any source, as a dict or the path of a file.
    query: that of the query parameters, as an object. What a property's type asks for is read from the text: numbers,
        true and false, and arrays of them.
    headers: that of the headers, as an object with names in lower case.
    instead: other schemas by kind of credential (`session.claims["credential"]`): `{"api-key": JsonSchema(body=...)}`;
        None for no check.

    Schemas are of any draft from 4 to 2020-12. A `$ref` stays in its document, and patterns are matched in linear time,
    so that neither a schema nor a value can make it hang or fetch anything.

    Raises:
        ConfigurationError: a schema is none, refers to another document, has a pattern with look-around, or the extra
            `jsonschema` is missing.
    """

    def __init__(
        self,
        body: Schema | None = None,
        *,
        query: Schema | None = None,
        headers: Schema | None = None,
        instead: Mapping[str, JsonSchema | None] | None = None,
    ) -> None:
        self._checks: list[tuple[str, Check]] = []
        self.schemas: dict[str, Mapping[str, Any]] = {}  # of the body, the query and the headers, for documents
        if body is not None:
            faults, self.schemas["body"] = _compiled(body, "body")
            self._checks.append(("body", _of_body(faults)))
        if query is not None:
            faults, self.schemas["query"] = _compiled(query, "query")
            self._checks.append(("query", _of_query(faults, self.schemas["query"])))
        if headers is not None:
            faults, self.schemas["headers"] = _compiled(headers, "headers")
            self._checks.append(("header", _of_headers(faults)))
        self._instead = dict(instead or {})
        self.inside_auth = bool(self._instead)  # outside nobody knows the credential yet
        for kind, other in self._instead.items():
            if other is not None and not isinstance(other, JsonSchema):
                raise ConfigurationError(f"JsonSchema(instead=...): give a JsonSchema or None for {kind!r:.80}")
        if not self._checks and not self._instead:
            raise ConfigurationError("JsonSchema(): give a schema of the body, the query or the headers")

    @property
    def instead(self) -> Mapping[str, JsonSchema | None]:
        """Return the other schemas by kind of credential."""
        return self._instead

    def __call__(self, event: Event) -> Around:
        chosen: JsonSchema | None = self
        if self._instead:
            chosen = self._instead.get(str(event.session.claims.get("credential")), self)
        if chosen is not None:
            chosen.check(event)
        yield

    def check(self, event: Event) -> None:
        """Check an event. Raises UnprocessableContent with every fault."""
        errors: list[dict[str, str]] = []
        for place, check in self._checks:
            for path, message in check(event):
                errors.append({"at": _place(place, path), "message": message})
                if len(errors) == MOST_ERRORS:
                    raise refusal(errors)
        if errors:
            raise refusal(errors)


# ---- places --------------------------------------------------------------------------------------------------------


def _of_body(faults: Faults) -> Check:
    def check(event: Any) -> Iterable[tuple[list[Any], str]]:
        if event._speaks_http:
            declared = event._content_type()
            if not is_json_type(declared):  # a page of another site can send anything else without asking first
                came = f"is {declared[:100]!r}" if declared else "is missing"
                raise UnsupportedMediaType(f"the content type {came}; application/json is expected")
        return faults.of(event.json())

    return check


def _of_query(faults: Faults, schema: Mapping[str, Any]) -> Check:
    properties = schema.get("properties")
    kinds = {name: _kind(one, schema) for name, one in properties.items()} if isinstance(properties, Mapping) else {}

    def check(event: Event) -> Iterable[tuple[list[Any], str]]:
        values = {name: _read(event.query.getall(name), *kinds.get(name, ("string", ""))) for name in event.query}
        return faults.of(values)

    return check


def _of_headers(faults: Faults) -> Check:
    def check(event: Event) -> Iterable[tuple[list[Any], str]]:
        return faults.of({name: event.headers[name] for name in event.headers})

    return check


def _kind(schema: Any, root: Any) -> tuple[str, str]:
    """Return the type of a property, and that of its items: of several types the first that is not written as text."""
    for _ in range(_DEEPEST):
        target = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(target, str):
            break
        schema = named(root, target)
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if isinstance(kind, list) and "string" not in kind:
        kind = next((one for one in kind if one != "null"), None)
    if kind != "array":
        return (kind, "") if isinstance(kind, str) else ("string", "")
    return "array", _kind(schema.get("items"), root)[0]


def _read(texts: list[str], kind: str, of_items: str) -> Any:
    if kind == "array":
        return [_value(text, of_items) for text in texts]
    return _value(texts[-1], kind)


def _value(text: str, kind: str) -> Any:
    """Return what a text stands for where its type asks for it; else the text, which the schema then refuses."""
    if kind not in ("integer", "number", "boolean", "null"):
        return text
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return text if isinstance(value, dict | list) else value


def _place(place: str, path: list[Any]) -> str:
    text = place
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text[:200]


# ---- schemas -------------------------------------------------------------------------------------------------------


def _compiled(given: Schema, where: str) -> tuple[Faults, Mapping[str, Any]]:
    """Return what tells the faults of a value by a schema, and the schema."""
    try:
        import jsonschema_rs
    except ImportError:
        raise ConfigurationError('JsonSchema needs jsonschema-rs: pip install "lambda-junction[jsonschema]"') from None
    schema = _loaded(given, where)
    _refuse_references(schema, where, 0)
    try:
        # The linear engine: a value cannot make a pattern explode. It knows no look-around.
        options = jsonschema_rs.RegexOptions()
        validator = jsonschema_rs.validator_for(dict(schema), pattern_options=options, retriever=_fetch_nothing)
    except ValueError as error:
        reason = str(error).partition("\n")[0]
        raise ConfigurationError(f"JsonSchema({where}=...): it is no schema that can be used: {reason:.300}") from None
    return Faults(validator, schema), schema


def _fetch_nothing(uri: str) -> Any:
    """Refuse to fetch a document: also that of a draft of somebody's own, which `$schema` may name."""
    raise ValueError("no document is fetched")


def _loaded(given: Any, where: str) -> Mapping[str, Any]:
    schema = given
    if isinstance(given, str | Path):
        try:
            schema = orjson.loads(Path(given).read_bytes())
        except OSError as error:
            raise ConfigurationError(f"JsonSchema({where}={str(given)!r:.200}): {error.strerror}") from None
        except orjson.JSONDecodeError as error:
            raise ConfigurationError(f"JsonSchema({where}={str(given)!r:.200}): not JSON: {error}") from None
    if not isinstance(schema, Mapping):
        raise ConfigurationError(f"JsonSchema({where}=...): give a dict, or the path of a file that holds one")
    return schema


def _refuse_references(value: Any, where: str, depth: int) -> None:
    """Refuse a schema that refers to another document: a validator would open the file, or fetch the URL."""
    if depth > _DEEPEST:
        raise ConfigurationError(f"JsonSchema({where}=...): it is nested more than {_DEEPEST} levels deep")
    if isinstance(value, Mapping):
        for name in _REFERENCES:
            target = value.get(name)
            if isinstance(target, str) and not target.startswith("#"):
                raise ConfigurationError(
                    f"JsonSchema({where}=...): {name} {target!r:.100} leaves the document; put what it names into $defs"
                )
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            _refuse_references(one, where, depth + 1)
