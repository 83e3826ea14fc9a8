"""Refuse names that no event can have, and say which one was meant: a route with one would never be called."""

from __future__ import annotations

from router.env import name_in
from router.errors import ConfigurationError
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.routing.route import Route

# Sources whose events are named after a resource, by its plain name.
_PLAIN = frozenset(
    Source(name) for name in ("sqs", "sns", "dynamodb", "kinesis", "kafka", "s3", "s3-batch", "firehose", "schedule")
)
_EXPRESSIONS = ("rate(", "cron(", "at(")
# S3 user guide, "Supported event types". Those with an action are written with it, or with a star.
_WITH_ACTION = (
    *("ObjectCreated", "ObjectRemoved", "ObjectRestore", "ObjectTagging", "ObjectAcl"),
    *("Replication", "LifecycleExpiration"),
)
_WITHOUT_ACTION = ("ReducedRedundancyLostObject", "LifecycleTransition", "IntelligentTiering", "TestEvent")


def check_name(route: Route) -> None:
    """Check a route's name that has a colon or a bracket in it.

    Raises:
        ConfigurationError: it is an ARN, a URL, or the expression of a schedule.
    """
    match = route.match
    if not _PLAIN.issuperset(route.sources):
        return
    if match.startswith(("arn:", "https://", "http://")):
        meant = name_in(match)
        write = f"write the name {meant!r}" if meant else "write the name"
        raise ConfigurationError(
            f"{route}: {write}; what a template makes may come from the environment: Env('VARIABLE')"
        )
    if route.sources == (Source.SCHEDULE,) and match.startswith(_EXPRESSIONS):
        raise ConfigurationError(
            f"{route}: write the name of the rule or schedule; its template says when it is due, and no event does"
        )


def check_object_events(bucket: str, events: tuple[str, ...]) -> None:
    """Check the names of S3 events. Names that S3 may add one day are taken.

    Raises:
        ConfigurationError: a name lacks its action, or is spelled in another way.
    """
    known = {name.lower(): name for name in (*_WITH_ACTION, *_WITHOUT_ACTION)}
    for event in events:
        family, colon, action = event.removeprefix("s3:").partition(":")
        meant = known.get(family.replace("_", "").replace(" ", "").lower())
        if "*" in family or meant is None or (meant == family and (colon or meant in _WITHOUT_ACTION)):
            continue
        whole = meant if meant in _WITHOUT_ACTION else f"{meant}:{action or '*'}"
        raise ConfigurationError(f"on_object {bucket!r}: there is no event {event!r}; write {whole!r}")
