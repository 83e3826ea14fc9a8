"""CloudFront, mail (SES, WorkMail), IoT buttons, SageMaker Ground Truth, Client VPN."""

from __future__ import annotations

import base64
from http import HTTPStatus

from router.testing.samples._common import (
    ACCOUNT,
    REGION,
    alphanumeric_id,
    arn,
    as_bytes,
    as_json,
    base64_id,
    hex_id,
    iso_millis,
    mail_time,
    moment,
    one_of,
    uuid_id,
)
from router.testing.samples._request import SOURCE_IP, Request

__all__ = ["cloudfront", "iot", "iot_button", "sagemaker", "ses", "vpn", "workmail"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

_VERDICTS = ("spamVerdict", "virusVerdict", "spfVerdict", "dkimVerdict", "dmarcVerdict")
_DISTRIBUTION = "d111111abcdef8.cloudfront.net"


def cloudfront(
    event_type: str = "viewer-request",
    *,
    method: str = "GET",
    path: str = "/",
    query: Mapping[str, Any] | str | None = None,
    headers: Mapping[str, str | Sequence[str]] | None = None,
    body: Any = None,
    status: int = 200,
    response_headers: Mapping[str, str | Sequence[str]] | None = None,
    source_ip: str = SOURCE_IP,
) -> dict[str, Any]:
    """A Lambda@Edge event: viewer-request, origin-request, origin-response or viewer-response.

    Origin events say which origin is asked; response events hold the response (`status`, `response_headers`). A body is
    there only in requests of a function that asked to include it.
    """
    one_of(event_type, ("viewer-request", "origin-request", "origin-response", "viewer-response"), "event_type")
    is_response = event_type.endswith("-response")
    if is_response and body is not None:
        raise ValueError(f"a {event_type} event does not hold the request's body")
    if response_headers and not is_response:
        raise ValueError(f"a {event_type} event has no response")
    asked = Request(method, path, host=_DISTRIBUTION, query=query, headers=headers, source_ip=source_ip)
    request: dict[str, Any] = {
        "clientIp": asked.source_ip,
        "headers": _edge_headers(_from_viewer(asked, headers or {})),
        "method": asked.method,
        "querystring": asked.raw_query,
        "uri": asked.path,
    }
    if body is not None:
        data = base64.b64encode(as_bytes(body, "body")).decode()
        request["body"] = {"inputTruncated": False, "action": "read-only", "encoding": "base64", "data": data}
    if event_type.startswith("origin-"):
        request["origin"] = {"custom": _edge_origin()}
    event: dict[str, Any] = {
        "config": {
            "distributionDomainName": _DISTRIBUTION,
            "distributionId": f"E{alphanumeric_id(13, 'distribution')}",
            "eventType": event_type,
            "requestId": base64_id(40, "cloudfront", asked.id),
        },
        "request": request,
    }
    if is_response:
        event["response"] = {
            "headers": _edge_headers(response_headers or {"Content-Type": "text/html"}),
            "status": str(status),
            "statusDescription": HTTPStatus(status).phrase,
        }
    return {"Records": [{"cf": event}]}


def _from_viewer(asked: Request, given: Mapping[str, Any]) -> dict[str, list[str]]:
    """The request's headers without those that API Gateway and load balancers would add; the edge comes before them."""
    return {name: values for name, values in asked.all_headers().items() if name in given or not name.startswith("X-")}


def _edge_headers(headers: Mapping[str, str | Sequence[str]]) -> dict[str, list[dict[str, str]]]:
    """Headers as CloudFront has them: by lower-case name, each value with the name as it was spelt."""
    return {
        name.lower(): [{"key": name, "value": value} for value in ([values] if isinstance(values, str) else values)]
        for name, values in headers.items()
    }


def _edge_origin() -> dict[str, Any]:
    return {
        "customHeaders": {},
        "domainName": "orders.example.com",
        "keepaliveTimeout": 5,
        "path": "",
        "port": 443,
        "protocol": "https",
        "readTimeout": 30,
        "sslProtocols": ["TLSv1.2"],
    }


def ses(
    recipients: Sequence[str] = ("orders@example.com",),
    *,
    sender: str = "Alice <alice@example.com>",
    subject: str = "My order",
    verdict: str = "PASS",
    message_id: str | None = None,
    function: str = "orders",
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A mail that SES received, for the Lambda action of a receipt rule. The event does not hold the mail's text."""
    one_of(verdict, ("PASS", "FAIL", "GRAY", "PROCESSING_FAILED"), "verdict")
    at = moment(timestamp)
    address = sender.rpartition("<")[2].removesuffix(">")
    identity = message_id or alphanumeric_id(40, "ses", sender, subject, recipients).lower()
    header_id = f"<{hex_id(16, 'mail', sender, subject)}@example.com>"
    date = mail_time(at)
    fields = {
        "Return-Path": f"<{address}>",
        "MIME-Version": "1.0",
        "From": sender,
        "Date": date,
        "Message-ID": header_id,
        "Subject": subject,
        "To": ", ".join(recipients),
        "Content-Type": "text/plain; charset=UTF-8",
    }
    mail = {
        "timestamp": iso_millis(at),
        "source": address,
        "messageId": identity,
        "destination": list(recipients),
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in fields.items()],
        "commonHeaders": {
            "returnPath": address,
            "from": [sender],
            "date": date,
            "to": list(recipients),
            "messageId": header_id,
            "subject": subject,
        },
    }
    receipt = {
        "timestamp": iso_millis(at),
        "processingTimeMillis": 574,
        "recipients": list(recipients),
        **{name: {"status": verdict} for name in _VERDICTS},
        "dmarcPolicy": "reject",
        "action": {
            "type": "Lambda",
            "functionArn": arn("lambda", region, account, f"function:{function}"),
            "invocationType": "Event",
        },
    }
    return {"Records": [{"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {"mail": mail, "receipt": receipt}}]}


def workmail(
    recipients: Sequence[str] = ("orders@example.com",),
    *,
    sender: str = "alice@example.com",
    subject: str = "My order",
    direction: str = "INBOUND",
) -> dict[str, Any]:
    """A mail for a "Run Lambda" rule of WorkMail."""
    one_of(direction, ("INBOUND", "OUTBOUND"), "direction")
    return {
        "summaryVersion": "2018-10-10",
        "envelope": {
            "mailFrom": {"address": sender},
            "recipients": [{"address": recipient} for recipient in recipients],
        },
        "sender": {"address": sender},
        "subject": subject,
        "messageId": uuid_id("workmail", sender, subject),
        "invocationId": hex_id(32, "workmail", sender, subject),
        "flowDirection": direction,
        "truncated": False,
    }


def iot(
    click: str = "SINGLE",
    *,
    device: str = "G030PM0123456789",
    project: str = "orders",
    placement: str = "kitchen",
    attributes: Mapping[str, str] | None = None,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A click of a button in AWS IoT 1-Click."""
    return {
        "deviceEvent": {"buttonClicked": {"clickType": _click(click), "reportedTime": iso_millis(moment(timestamp))}},
        "deviceInfo": {"attributes": {}, "type": "button", "deviceId": device, "remainingLife": 99.5},
        "placementInfo": {
            "projectName": project,
            "placementName": placement,
            "attributes": dict(attributes or {}),
            "devices": {"button": device},
        },
    }


def iot_button(click: str = "SINGLE", *, serial_number: str = "G030PM0123456789") -> dict[str, Any]:
    """A click of an AWS IoT button that invokes the function through an IoT rule."""
    return {"serialNumber": serial_number, "clickType": _click(click), "batteryVoltage": "1500 mV"}


def _click(click: str) -> str:
    return one_of(click, ("SINGLE", "DOUBLE", "LONG"), "click")


def sagemaker(
    step: str = "pre-annotation",
    *,
    data: Mapping[str, Any] | None = None,
    job: str = "orders",
    region: str = REGION,
    account: str = ACCOUNT,
) -> dict[str, Any]:
    """A SageMaker Ground Truth step: pre-annotation (`data` is the manifest's line) or post-annotation."""
    one_of(step, ("pre-annotation", "post-annotation"), "step")
    payload: dict[str, Any] = {
        "version": "2018-10-16",
        "labelingJobArn": arn("sagemaker", region, account, f"labeling-job/{job}"),
    }
    if step == "pre-annotation":
        return payload | {"dataObject": as_json(data or {"source-ref": f"s3://{job}/image.jpg"}, "data")}
    if data is not None:
        raise ValueError("only a pre-annotation holds data; a post-annotation points to its payload in S3")
    return payload | {
        "labelCategories": ["paid", "unpaid"],
        "labelAttributeName": "label",
        "roleArn": arn("iam", "", account, "role/ground-truth"),
        "payload": {"s3Uri": f"s3://{job}/annotations/consolidated-annotation/consolidation-request/1.json"},
    }


def vpn(
    user: str = "alice",
    *,
    public_ip: str = SOURCE_IP,
    platform: str = "linux",
) -> dict[str, Any]:
    """The client connect handler of an AWS Client VPN endpoint."""
    return {
        "connection-id": f"cvpn-connection-{hex_id(17, 'vpn connection', user)}",
        "endpoint-id": f"cvpn-endpoint-{hex_id(17, 'vpn endpoint')}",
        "common-name": user,
        "username": user,
        "platform": platform,
        "platform-version": "6.1.0",
        "public-ip": public_ip,
        "client-openvpn-version": "2.6.9",
        "schema-version": "v1",
    }


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "ses": ses,
    "iot": iot,
    "cloudfront": cloudfront,
    "sagemaker": sagemaker,
    "workmail": workmail,
    "vpn": vpn,
}
