"""Make a sample by the name of its source and options that come from outside: a command line, a page."""

from __future__ import annotations

from datetime import datetime
from inspect import Parameter, signature

from router.testing import samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

# Samples beside those of `SAMPLES`, which has one for each source.
_MORE = (
    *("appsync-batch", "appsync-subscribe", "iot-button", "lambda-destination", "pipes", "s3-test-event"),
    *("sns-in-sqs", "tumbling-window", "websocket-authorizer"),
)
_BUILDERS = {"appsync-events": "appsync_publish"}
# For arguments that a builder needs, and nobody gave.
_GIVEN: dict[str, Any] = {
    "bodies": [{"id": 1}],
    "bucket": "orders",
    "changes": [["INSERT", None, {"id": 1}]],
    "collection": "orders",
    "data": [{"id": 1}],
    "detail_type": "OrderPlaced",
    "documents": [{"id": 1}],
    "field": "getOrder",
    "group": "/aws/lambda/orders",
    "keys": ["new/order 1.json"],
    "messages": [{"id": 1}],
    "name": "nightly",
    "payload": samples.SAMPLES["sqs"](),
    "queue": "orders",
    "records": [{"id": 1}],
    "repository": "orders",
    "rule": "orders-encrypted",
    "sources": [{"id": 1}],
    "stream": "orders",
    "table": "orders",
    "topic": "orders",
}
# Options whose fields are texts.
_OF_TEXTS = {"cookies", "headers", "identity", "path_parameters", "query", "request_headers", "stage_variables"}
NAMES = tuple(sorted([*samples.SAMPLES, *_MORE]))
"""The names of all samples: the sources, and some further forms of theirs."""


def options_of(name: str) -> dict[str, str]:
    """Return the options of a sample, each with its default as text; "" for none.

    Raises:
        ValueError: there is no such sample.
    """
    return {
        one.name: "" if one.default in (Parameter.empty, None) else repr(one.default)
        for one in signature(_builder(name)).parameters.values()
    }


def described(name: str) -> list[dict[str, Any]]:
    """Return the options of a sample, each with its `name`, its `type` as text, and its `default` as a value.

    Raises:
        ValueError: there is no such sample.
    """
    return [
        {
            "name": one.name,
            "type": str(one.annotation),
            "default": _GIVEN[one.name] if one.default is Parameter.empty else one.default,
        }
        for one in signature(_builder(name)).parameters.values()
    ]


def sample(name: str, options: Mapping[str, Any] | None = None) -> Any:
    """Return a payload.

    name: of `NAMES`.
    options: those of the builder in `router.testing.samples`; without any it is the one of `SAMPLES`. Times are text in
        ISO 8601.

    Raises:
        ValueError: there is no such sample or option, or no service could deliver it.
    """
    build = _builder(name)
    if not options and name in samples.SAMPLES:
        return samples.SAMPLES[name]()
    known = signature(build).parameters
    given = dict(options or {})
    for option in given:
        if option not in known:
            raise ValueError(f"{option!r:.80} is not an option of {name}; there are {', '.join(known) or 'none'}")
    for one in known.values():
        if one.default is Parameter.empty and one.name not in given:
            given[one.name] = _GIVEN[one.name]
    if "timestamp" in given:
        given["timestamp"] = _moment(given["timestamp"])
    try:
        return build(**given)
    except (TypeError, AttributeError, KeyError, LookupError) as error:  # a value of another kind than it takes
        raise ValueError(f"{name} cannot be made of these options: {type(error).__name__}: {error}") from None


def with_texts(name: str, options: Mapping[str, str]) -> dict[str, Any]:
    """Return options as values: JSON, except where an option is a text. `headers.accept` is a field of `headers`.

    name: of the sample. options: as texts.

    Raises:
        ValueError: there is no such sample, a value is of another kind than the option, or one is given twice.
    """
    kinds = {one["name"]: one["type"] for one in described(name)}
    made: dict[str, Any] = {}
    for option, text in options.items():
        outer, dot, inner = option.partition(".")
        kind = kinds.get(outer, "str")
        held, key = (made.setdefault(outer, {}), inner) if dot else (made, outer)
        if not isinstance(held, dict) or key in held:
            raise ValueError(f"{option}: {outer} is given twice")
        held[key] = value_of(option, text, ("str" if outer in _OF_TEXTS else "Any") if dot else kind)
    return made


def is_text(kind: str) -> bool:
    """Whether an option of a type takes a text as it is."""
    return kind in {"str", "str | None"} or "datetime" in kind or kind.startswith("Literal")


def value_of(option: str, text: str, kind: str) -> Any:
    """Return the value of an option. kind: its type, as text.

    Raises:
        ValueError: it is not of that type.
    """
    if is_text(kind):
        return text
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        if kind.partition(" ")[0] in {"int", "float", "bool"}:
            raise ValueError(f"{option} is of the type {kind}, not {text!r:.80}") from None
        return text


def _builder(name: str) -> Callable[..., Any]:
    if name not in NAMES:
        from difflib import get_close_matches

        near = get_close_matches(name, NAMES)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(NAMES)}"
        raise ValueError(f"there is no sample {name!r:.80}; {hint}")
    build: Callable[..., Any] = getattr(samples, _BUILDERS.get(name, name.replace("-", "_")))
    return build


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"timestamp {value!r:.80}: write it as 2024-05-01T12:00:00Z") from None
