"""Which sources bring a session, and which of them a policy or a route may believe unsigned."""

from __future__ import annotations

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Sources whose bodies producers write, which may put a session there. Elsewhere a field of this name is a client's.
PRODUCED = frozenset(
    (
        *("sqs", "sns", "dynamodb", "kinesis", "kafka", "activemq", "rabbitmq", "documentdb", "firehose"),
        *("eventbridge", "schedule", "invoke", "task"),
    )
)
# Rules and schedules say nothing of anybody, and an authorizer is asked who it is.
WITHOUT = frozenset(
    (
        *("schedule", "authorizer", "appsync-authorizer", "appsync-events-authorizer"),
        *("iot-authorizer", "iot-provisioning", "transfer"),
    )
)
# Which may bring a whole session; a Bedrock agent has attributes that only the application sets.
CARRYING = PRODUCED | {"bedrock-agent"}


def checked_sources(named: Any, where: str, among: Iterable[str] = CARRYING) -> frozenset[str]:
    """Return the sources of `unsigned_from=`. Raises ConfigurationError for one that brings no session."""
    try:
        sources = frozenset((named,) if isinstance(named, str) else named)
        unknown = sources.difference(CARRYING.intersection(among))
    except TypeError:
        sources, unknown = frozenset(), frozenset((repr(named),))
    if unknown:
        allowed = ", ".join(sorted(CARRYING.intersection(among))) or "none: no whole session comes this way"
        raise ConfigurationError(
            f"{where}: unsigned_from= names {', '.join(map(str, unknown)):.80}; possible are {allowed}"
        )
    return sources
