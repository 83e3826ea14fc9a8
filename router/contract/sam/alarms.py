"""Alarms: on dead letters, on failed events, on errors and throttles of functions, and on streams that fall behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.declarations import Queue
from router.contract.names import logical
from router.contract.sam.document import attribute, function_id, resource_id
from router.contract.sam.functions import FAILED
from router.contract.sam.resources import dead_of, triggers_of

if TYPE_CHECKING:
    from typing import Any

    from router.contract.sam.document import Document

_MINUTE_S = 60
_LATE_MS = 15 * _MINUTE_S * 1000  # an iterator that is older than this has met a record that always fails
_IN_ORDER = frozenset({"stream", "table"})


def add_alarms(document: Document) -> None:
    """Add all alarms. Whom they tell is for the account to say, such as by a rule on their changes of state."""
    for queue in document.infrastructure.of_kind("queue"):
        if isinstance(queue, Queue) and queue.dead_letter and not queue.exists:
            own = dead_of(document, queue)
            if own is None:
                _of_letters(document, f"{resource_id(queue)}Dead")
            elif not own.exists and not triggers_of(document, own):  # else a function takes what is in it
                _of_letters(document, resource_id(own))
    if FAILED in document.resources:
        _of_letters(document, FAILED)
    for part in document.infrastructure.parts:
        named = [{"Name": "FunctionName", "Value": {"Ref": function_id(part)}}]
        for metric, least in (("Errors", 1), ("Throttles", 1)):
            _add(document, f"{logical(part.name)}{metric}Alarm", "AWS/Lambda", metric, named, "Sum", least)
        if any(trigger.resource.kind in _IN_ORDER for trigger in part.triggers):
            _add(document, f"{logical(part.name)}LateAlarm", "AWS/Lambda", "IteratorAge", named, "Maximum", _LATE_MS)


def _of_letters(document: Document, queue: str) -> None:
    named = [{"Name": "QueueName", "Value": attribute(queue, "QueueName")}]
    metric = "ApproximateNumberOfMessagesVisible"
    _add(document, f"{queue}Alarm", "AWS/SQS", metric, named, "Maximum", 1)


def _add(
    document: Document,
    logical_id: str,
    namespace: str,
    metric: str,
    named: list[dict[str, Any]],
    statistic: str,
    least: int,
) -> None:
    document.add(
        logical_id,
        "AWS::CloudWatch::Alarm",
        {
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": named,
            "Statistic": statistic,
            "Period": 5 * _MINUTE_S,
            "EvaluationPeriods": 1,
            "Threshold": least,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        },
        f"the alarm {logical_id}",
    )
