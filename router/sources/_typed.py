"""`event.typed`: the data class of aws-lambda-powertools for an event, for those who know its names."""

from __future__ import annotations

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Event


def data_class(event: Event, name: str | None) -> Any:
    """Return the data class of an event: of its record, where it is one of several, else of the payload.

    name: `module.Class`; None where there is none for this event.
    Raises:
        ConfigurationError: There is none, or aws-lambda-powertools is not installed.
    """
    if name is None:
        what = f"{event.source} {event.name}".rstrip()
        raise ConfigurationError(f"event.typed: aws-lambda-powertools has no data class for {what}")
    return _load(name)(event.record)


def _load(name: str) -> Any:
    from importlib import import_module

    module, _, data_class = name.rpartition(".")
    try:
        return getattr(import_module(f"aws_lambda_powertools.utilities.data_classes.{module}"), data_class)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f'event.typed needs {data_class} of aws-lambda-powertools: pip install "lambda-junction[powertools]"'
        ) from error
