"""Make payloads of every source to send, with options."""

from __future__ import annotations

import json
from datetime import datetime
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from router.testing import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Builders whose names are not those of their sources.
_BUILDERS = {"appsync-events": "appsync_publish"}
# The arguments that have no default.
_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "activemq": {"queue": "orders", "messages": [{"id": 1}]},
    "alarm": {"name": "errors"},
    "config": {"rule": "encrypted"},
    "documentdb": {"collection": "orders", "documents": [{"id": 1}]},
    "dynamodb": {"table": "orders", "changes": [["INSERT", None, {"pk": "order#1", "total": 10}]]},
    "eventbridge": {"detail_type": "OrderPlaced"},
    "firehose": {"records": [{"id": 1}]},
    "kafka": {"topic": "orders", "messages": [{"id": 1}]},
    "kinesis": {"stream": "orders", "data": [{"id": 1}]},
    "kinesis-analytics": {"records": [{"id": 1}]},
    "logs": {"group": "/aws/lambda/orders", "messages": ["hello"]},
    "rabbitmq": {"queue": "orders", "messages": [{"id": 1}]},
    "s3": {"bucket": "uploads", "keys": "photo.jpg"},
    "s3-batch": {"bucket": "uploads", "keys": "photo.jpg"},
    "schedule": {"name": "nightly"},
    "sns": {"topic": "orders", "messages": [{"id": 1}]},
    "sqs": {"queue": "orders", "bodies": [{"id": 1}]},
    "task": {"name": "nightly"},
}


def sources() -> list[dict[str, Any]]:
    """Return all sources, each with the options of its sample: name, type as text, default, and whether it is text."""
    return [{"source": source, "options": _options(source)} for source in samples.SAMPLES]


def sample(source: str, options: Mapping[str, str]) -> Any:
    """Return a payload.

    source: the value of a `Source`.
    options: as texts; JSON, except where the option is a text itself.

    Raises:
        LookupError: there is no such source.
        ValueError: an option is not known, or its value is not right.
    """
    if source not in samples.SAMPLES:
        raise LookupError(f"there is no source {source!r}; there are {', '.join(samples.SAMPLES)}")
    if not options:
        return samples.SAMPLES[source]()
    parameters = signature(_builder(source)).parameters
    given = dict(_EXAMPLES.get(source, {}))
    for name, text in options.items():
        if name not in parameters:
            raise ValueError(f"a sample of {source} has no option {name!r}; it has {', '.join(parameters)}")
        given[name] = _value(name, text, str(parameters[name].annotation))
    try:
        return _builder(source)(**given)
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        raise ValueError(f"this sample cannot be made: {error}") from error


def _builder(source: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(samples, _BUILDERS.get(source, source.replace("-", "_")))
    return found


def _options(source: str) -> list[dict[str, Any]]:
    examples = _EXAMPLES.get(source, {})
    return [
        {
            "name": name,
            "type": str(parameter.annotation),
            "default": examples.get(name, None if parameter.default is Parameter.empty else parameter.default),
            "text": _is_text(str(parameter.annotation)),
        }
        for name, parameter in signature(_builder(source)).parameters.items()
    ]


def _is_text(kind: str) -> bool:
    return kind in {"str", "str | None"} or kind.startswith("Literal")


def _value(name: str, text: str, kind: str) -> Any:
    """Return the value of an option."""
    if _is_text(kind):
        return text
    if "datetime" in kind:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{name} is a time like 2026-11-30T12:00:00Z, not {text!r}") from None
    try:
        return json.loads(text)
    except ValueError:
        if kind.partition(" ")[0] in {"int", "float", "bool"}:
            raise ValueError(f"{name} is of the type {kind}, not {text!r}") from None
        return text
