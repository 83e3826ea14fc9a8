"""`event.typed`: the data class of aws-lambda-powertools for an event, for those who know its names."""

from __future__ import annotations

from router.errors import ConfigurationError
from router.sources import load
from router.sources._registry import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Event


def data_class(event: Event) -> Any:
    """Return the data class of an event: of its record, where it is one of several, else of the payload.

    Raises:
        ConfigurationError: There is none for this event, or aws-lambda-powertools is not installed.
    """
    source = event.source
    name = ROWS[source].data_class
    if name is None:
        choose = getattr(load(source), "data_class", None)
        name = None if choose is None else choose(event)
    if name is None:
        what = f"{source} {event.name}".rstrip()
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
