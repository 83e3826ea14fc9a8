"""EventBridge (bus, rules, Scheduler) and CloudWatch (logs, alarms, dashboards)."""

from __future__ import annotations

import base64
import gzip
from datetime import timedelta

import orjson

from router.testing.samples._common import (
    ACCOUNT,
    REGION,
    arn,
    as_json,
    as_text,
    epoch_millis,
    iso_millis,
    iso_seconds,
    items,
    moment,
    one_of,
    uuid_id,
)

__all__ = ["alarm", "dashboard", "eventbridge", "logs", "schedule"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

_FIRST_LOG_EVENT = 38234567890123456789012345678901234567890123456789012345
_ALARM_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")


def eventbridge(
    detail_type: str,
    detail: Any = None,
    *,
    source: str = "orders",
    session: Mapping[str, Any] | str | None = None,
    resources: Sequence[str] = (),
    event_id: str | None = None,
    replay_name: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """An event of a bus. `session` goes to the `session` key of the detail's `metadata`."""
    body = as_json({} if detail is None else detail, "detail")
    if session is not None:
        if not isinstance(body, dict) or not isinstance(body.setdefault("metadata", {}), dict):
            raise ValueError("a session needs a detail, and in it a metadata, that is an object")
        body["metadata"]["session"] = as_json(session, "session")
    payload = _event(
        detail_type,
        body,
        source=source,
        resources=list(resources),
        event_id=event_id,
        region=region,
        account=account,
        timestamp=timestamp,
    )
    if replay_name is not None:
        payload["replay-name"] = replay_name
    return payload


def schedule(
    name: str,
    *,
    scheduler: bool = False,
    group: str = "default",
    event_id: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """The tick of a scheduled EventBridge rule, or of an EventBridge Scheduler schedule without an input of its own."""
    if scheduler:
        resource = arn("scheduler", region, account, f"schedule/{group}/{name}")
    else:
        resource = arn("events", region, account, f"rule/{name}")
    return _event(
        "Scheduled Event",
        # Scheduler writes the detail as text.
        "{}" if scheduler else {},
        source="aws.scheduler" if scheduler else "aws.events",
        resources=[resource],
        event_id=event_id,
        region=region,
        account=account,
        timestamp=timestamp,
    )


def _event(
    detail_type: str,
    detail: Any,
    *,
    source: str,
    resources: list[str],
    event_id: str | None,
    region: str,
    account: str,
    timestamp: datetime | None,
) -> dict[str, Any]:
    """The envelope of every EventBridge event."""
    at = iso_seconds(moment(timestamp))
    return {
        "version": "0",
        "id": event_id or uuid_id("eventbridge", detail_type, source, resources, detail, at),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": at,
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def logs(
    group: str,
    messages: Sequence[Any],
    *,
    stream: str = "2024/05/01/[$LATEST]a1b2c3d4",
    filters: Sequence[str] = ("orders",),
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """Lines of a CloudWatch log group through a subscription filter: JSON, compressed with gzip, in base64."""
    sent = epoch_millis(moment(timestamp))
    content = {
        "messageType": "DATA_MESSAGE",
        "owner": account,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": list(filters),
        "logEvents": [
            {"id": str(_FIRST_LOG_EVENT + index), "timestamp": sent + index, "message": as_text(message, "message")}
            for index, message in enumerate(items(messages, "messages"))
        ],
    }
    # Without a fixed mtime the clock would show in the bytes.
    packed = gzip.compress(orjson.dumps(content), mtime=0)
    return {"awslogs": {"data": base64.b64encode(packed).decode()}}


def alarm(
    name: str,
    *,
    state: str = "ALARM",
    previous: str = "OK",
    reason: str = "Threshold Crossed: 1 datapoint [12.0 (01/05/24 11:59:00)] was greater than the threshold (10.0).",
    description: str = "Too many failed orders",
    metric: str = "Errors",
    namespace: str = "AWS/Lambda",
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A CloudWatch alarm of one metric that invokes the function directly, without EventBridge or SNS."""
    one_of(state, _ALARM_STATES, "state")
    one_of(previous, _ALARM_STATES, "previous")
    at = moment(timestamp)
    return {
        "source": "aws.cloudwatch",
        "alarmArn": arn("cloudwatch", region, account, f"alarm:{name}"),
        "accountId": account,
        "time": iso_millis(at, "+0000"),
        "region": region,
        "alarmData": {
            "alarmName": name,
            "state": _alarm_state(state, reason, at),
            "previousState": _alarm_state(previous, "Threshold not crossed.", at - timedelta(minutes=5)),
            "configuration": {
                "description": description,
                "metrics": [
                    {
                        "id": "m1",
                        "metricStat": {
                            "metric": {"namespace": namespace, "name": metric, "dimensions": {}},
                            "period": 60,
                            "stat": "Sum",
                        },
                        "returnData": True,
                    }
                ],
            },
        },
    }


def _alarm_state(value: str, reason: str, at: datetime) -> dict[str, Any]:
    """One state of an alarm; its `reasonData` is JSON in a string."""
    since = iso_millis(at, "+0000")
    data = {"version": "1.0", "queryDate": since, "startDate": since, "statistic": "Sum", "period": 60}
    return {
        "value": value,
        "reason": reason,
        "reasonData": orjson.dumps(data | {"recentDatapoints": [12.0], "threshold": 10.0}).decode(),
        "timestamp": since,
    }


def dashboard(
    parameters: Mapping[str, Any] | None = None,
    *,
    name: str = "orders",
    title: str = "Orders",
    forms: Mapping[str, Any] | None = None,
    describe: bool = False,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A custom widget of a CloudWatch dashboard; with `describe` the dashboard asks for the widget's documentation."""
    values: dict[str, Any] = as_json(parameters or {}, "parameters")
    if describe:
        values["describe"] = True
    at = moment(timestamp)
    start, end = epoch_millis(at - timedelta(days=1)), epoch_millis(at)
    return {
        **values,
        "widgetContext": {
            "dashboardName": name,
            "widgetId": "widget-1",
            "domain": f"https://{region}.console.aws.amazon.com",
            "accountId": account,
            "locale": "en",
            "timezone": {"label": "UTC", "offsetISO": "+00:00", "offsetInMinutes": 0},
            "period": 300,
            "isAutoPeriod": True,
            "timeRange": {
                "mode": "relative",
                "start": start,
                "end": end,
                "relativeStart": end - start,
                "zoom": {"start": start, "end": end},
            },
            "theme": "light",
            "linkCharts": True,
            "title": title,
            "forms": {"all": as_json(forms or {}, "forms")},
            "params": dict(values),
            "width": 588,
            "height": 369,
        },
    }


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "eventbridge": lambda: eventbridge("OrderPlaced", {"id": 1}),
    "schedule": lambda: schedule("nightly"),
    "logs": lambda: logs("/aws/lambda/orders", ["START", {"level": "ERROR", "message": "failed"}]),
    "alarm": lambda: alarm("orders-failing"),
    "dashboard": lambda: dashboard({"tenant": "acme"}),
}
