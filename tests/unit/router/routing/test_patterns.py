"""The event-pattern language: what each operator matches, what is refused, and that no event can break it."""

import random
import re
from collections import UserDict
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial
from itertools import chain, product
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from router.errors import ConfigurationError
from router.routing.pattern_grammar import MAX_COMBINATIONS, MAX_DEPTH
from router.routing.patterns import canonical, compile_pattern

# ---------------------------------------------------------------------------------------------------------------------
# The operators, by the examples of the EventBridge User Guide and the border of each

INSTANCE = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "111122223333",
    "time": "2017-12-22T18:43:48Z",
    "region": "us-west-1",
    "resources": ["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],
    "detail": {"instance-id": "i-1234567890abcdef0", "state": "terminated"},
}
LAUNCH = {
    "detail-type": "EC2 Instance Launch Successful",
    "source": "aws.autoscaling",
    "time": "2015-11-11T21:31:47Z",
    "resources": [],
    "detail": {"eventVersion": "", "responseElements": None},
}
ALERT = {
    "source": "aws.macie",
    "detail-type": "Macie Alert",
    "detail": {"risk-score": 80, "tags": ["Custom_Alert", "Insider"], "trigger": {"alert-type": "basic", "risk": 8}},
}
BUS = "arn:aws:events:us-east-1:123456789012:event-bus/myEventBus"


class Switch(StrEnum):
    ON = "on"


def detail(**fields):
    """A pattern or an event about its detail alone; underscores stand for hyphens."""
    return {"detail": {name.replace("_", "-"): value for name, value in fields.items()}}


METRICS: dict[str, Any] = {
    "source": ["aws.cloudwatch"],
    "$or": [
        {"metricName": ["CPUUtilization", "ReadLatency"]},
        {"metricType": ["MetricType"], "$or": [{"metricId": [1234]}, {"spaceId": [1000]}]},
        {"scope": ["Service"]},
    ],
}
COUNTS = detail(
    **{
        "$or": [
            {"c-count": [{"numeric": [">", 0, "<=", 5]}]},
            {"d-count": [{"numeric": ["<", 10]}]},
            {"x-limit": [{"numeric": ["=", 3.018e2]}]},
        ]
    }
)
COMPLEX: dict[str, Any] = {
    "time": [{"prefix": "2017-10-02"}],
    "detail": {
        "state": [{"anything-but": "initializing"}],
        "c-count": [{"numeric": [">", 0, "<=", 5]}],
        "d-count": [{"numeric": ["<", 10]}],
        "x-limit": [{"anything-but": [100, 200, 300]}],
    },
}
COMPLEX_DETAIL: dict[str, Any] = {"state": "running", "c-count": 5, "d-count": 3, "x-limit": 301.8}

MATCHES: dict[str, list[tuple[Any, Any, bool]]] = {
    "exact": [
        (
            {
                "source": ["aws.ec2"],
                "detail-type": ["EC2 Instance State-change Notification"],
                "detail": {"state": ["terminated"]},
            },
            INSTANCE,
            True,
        ),
        ({"source": ["aws.ec2"], "detail": {"state": ["running"]}}, INSTANCE, False),
        ({"source": ["aws.ec2", "aws.fargate"]}, {"source": "aws.fargate"}, True),
        ({"source": ["aws.ec2", "aws.fargate"]}, {"source": "aws.ecs"}, False),
        ({"source": ["AWS.EC2"]}, INSTANCE, False),
        ({"SOURCE": ["aws.ec2"]}, INSTANCE, False),
        ({"source": ("aws.ec2",)}, INSTANCE, True),
        ({"source": ["aws.macie"], "detail": {"risk-score": [80], "trigger": {"risk": [8]}}}, ALERT, True),
        ({"detail": {"risk-score": [80], "trigger": {"risk": [9]}}}, ALERT, False),
        ({"detail": {"trigger": {"missing": ["x"]}}}, ALERT, False),
        (detail(state=["a.b"]), detail(state="a.b"), True),
        ({"detail.state": ["running"]}, detail(state="running"), True),
        ({"detail.state": ["running"]}, {"detail.state": "running"}, True),
        ({"detail": {"my-key": ["my-value"]}}, {"detail": '{"my-key": "my-value"}'}, False),
    ],
    "null and the empty string": [
        (detail(eventVersion=[""]), LAUNCH, True),
        (detail(eventVersion=[None]), LAUNCH, False),
        (detail(responseElements=[None]), LAUNCH, True),
        (detail(responseElements=[""]), LAUNCH, False),
        (detail(missing=[None]), LAUNCH, False),
        ({"resources": [None]}, LAUNCH, False),
    ],
    "booleans are not numbers": [
        (detail(on=[True]), detail(on=True), True),
        (detail(on=[True]), detail(on=1), False),
        (detail(on=[True]), detail(on="true"), False),
        (detail(on=[1]), detail(on=True), False),
        (detail(on=[1]), detail(on=1), True),
        (detail(on=[0]), detail(on=False), False),
        (detail(on=[False]), detail(on=0), False),
        (detail(on=[True, 0]), detail(on=0), True),
        (detail(on=[True, 0]), detail(on=False), False),
    ],
    "numbers are equal as numbers": [
        (detail(n=[300]), detail(n=300.0), True),
        (detail(n=[3.0e2]), detail(n=300), True),
        (detail(n=[300]), detail(n=Decimal("3E+2")), True),
        (detail(n=[0.1]), detail(n=Decimal("0.1")), True),
        (detail(n=[Decimal("0.1")]), detail(n=0.1), True),
        (detail(n=[300]), detail(n="300"), False),
        (detail(n=["300"]), detail(n=300), False),
        (detail(n=[2**80]), detail(n=2**80), True),
        (detail(n=[2**80]), detail(n=2**80 + 1), False),
        (detail(n=[9007199254740993]), detail(n=Decimal("9007199254740993")), True),
        (detail(n=[9007199254740992]), detail(n=Decimal("9007199254740993")), False),
        (detail(n=[9007199254740993]), detail(n=Decimal("9007199254740993.5")), False),
        (detail(n=[5]), detail(n=Decimal("1E+999999999999")), False),
        (detail(n=[5]), detail(n=Decimal("sNaN")), False),
    ],
    "arrays": [
        (
            {"resources": ["arn:instance/one", "arn:instance/two"]},
            {"resources": ["arn:group/x", "arn:instance/two"]},
            True,
        ),
        ({"resources": ["arn:instance/one"]}, {"resources": ["arn:group/x"]}, False),
        ({"detail": {"tags": ["Insider"]}}, ALERT, True),
        ({"tags": ["b"]}, {"tags": [["a"], [["b"]]]}, True),
        ({"tags": ["b"]}, {"tags": []}, False),
        ({"tags": ["b"]}, {"tags": [{"b": "b"}]}, False),
        ({"tags": ["b"]}, {"tags": [{}, "b"]}, True),
        ({"tags": [5]}, {"tags": {1, 5}}, True),
        ({"tags": [5]}, {"tags": ("x", Decimal("5"))}, True),
    ],
    "objects in arrays": [
        ({"d": {"id": ["7"]}}, {"d": [{"key": "v"}, {"id": "7"}]}, True),
        ({"d": {"a": ["x"], "b": ["y"]}}, {"d": [{"a": "x"}, {"b": "y"}]}, False),
        ({"d": {"a": ["x"], "b": ["y"]}}, {"d": [{"a": "x"}, {"a": "x", "b": "y"}]}, True),
        ({"d": {"a": ["x"]}}, {"d": [[{"a": "z"}], [{"a": "x"}]]}, True),
        ({"d": {"a": ["x"]}}, {"d": ["x", 5, None]}, False),
        ({"d": {"n": ["x"], "i": {"k": ["y"]}}}, {"d": [{"n": "x"}, {"i": {"k": "y"}}]}, False),
        ({"d": {"n": ["x"], "i": {"k": ["y"]}}}, {"d": [{"n": "x", "i": [{"k": "z"}, {"k": "y"}]}]}, True),
        # One element has to match both, though the pattern names the array twice.
        ({"d": {"a": ["x"]}, "$or": [{"d": {"b": ["y"]}}, {"e": [1]}]}, {"d": [{"a": "x"}, {"b": "y"}]}, False),
        ({"d": {"a": ["x"]}, "$or": [{"d": {"b": ["y"]}}, {"e": [1]}]}, {"d": [{"a": "x", "b": "y"}]}, True),
    ],
    "prefix": [
        ({"time": [{"prefix": "2017-10-02"}]}, {"time": "2017-10-02T18:43:48Z"}, True),
        ({"time": [{"prefix": "2017-10-02"}]}, {"time": "2017-10-03T18:43:48Z"}, False),
        ({"Region": [{"prefix": "us-"}]}, {"Region": "us-east-1"}, True),
        ({"Region": [{"prefix": "us-"}, {"prefix": "eu-"}]}, {"Region": "eu-west-1"}, True),
        ({"Region": [{"prefix": "us-"}]}, {"Region": 5}, False),
        ({"Region": [{"prefix": ""}]}, {"Region": ""}, True),
        ({"service": [{"prefix": {"equals-ignore-case": "EventB"}}]}, {"service": "eventBRIDGE"}, True),
        ({"service": [{"prefix": {"equals-ignore-case": "EventB"}}]}, {"service": "my-eventbridge"}, False),
        ({"service": [{"prefix": {"equals-ignore-case": "EventB"}}]}, {"service": None}, False),
    ],
    "suffix": [
        ({"FileName": [{"suffix": ".png"}]}, {"FileName": "logo.png"}, True),
        ({"FileName": [{"suffix": ".png"}]}, {"FileName": "logo.PNG"}, False),
        ({"FileName": [{"suffix": ".png"}]}, {"FileName": 5}, False),
        ({"FileName": [{"suffix": {"equals-ignore-case": ".png"}}]}, {"FileName": "LOGO.PNG"}, True),
        ({"FileName": [{"suffix": {"equals-ignore-case": ".png"}}]}, {"FileName": "png.jpg"}, False),
    ],
    "equals-ignore-case": [
        ({"Name": [{"equals-ignore-case": "alice"}]}, {"Name": "ALICE"}, True),
        ({"Name": [{"equals-ignore-case": "alice"}]}, {"Name": "Alicia"}, False),
        ({"Name": [{"equals-ignore-case": "ΟΔΟΣ"}]}, {"Name": "οδος"}, True),
        ({"Name": [{"equals-ignore-case": ""}]}, {"Name": ""}, True),
        ({"Name": [{"equals-ignore-case": "1"}]}, {"Name": 1}, False),
    ],
    "anything-but": [
        (detail(state=[{"anything-but": "initializing"}]), detail(state="running"), True),
        (detail(state=[{"anything-but": "initializing"}]), detail(state="initializing"), False),
        (detail(state=[{"anything-but": "initializing"}]), detail(state=None), True),
        (detail(state=[{"anything-but": "initializing"}]), detail(state=False), True),
        (detail(state=[{"anything-but": "initializing"}]), detail(other="x"), False),
        (detail(state=[{"anything-but": "initializing"}]), detail(state={"x": "y"}), False),
        (detail(state=[{"anything-but": "initializing"}]), detail(state=[]), False),
        (detail(x_limit=[{"anything-but": 123}]), detail(x_limit=124), True),
        (detail(x_limit=[{"anything-but": 123}]), detail(x_limit=123.0), False),
        (detail(x_limit=[{"anything-but": 123}]), detail(x_limit="123"), True),
        (detail(x_limit=[{"anything-but": 0}]), detail(x_limit=0), False),
        (detail(x_limit=[{"anything-but": 1}]), detail(x_limit=True), True),
        (detail(x_limit=[{"anything-but": 0.5}]), detail(x_limit=Decimal("0.5")), False),
        (detail(state=[{"anything-but": ["stopped", "overloaded"]}]), detail(state="running"), True),
        (detail(state=[{"anything-but": ["stopped", "overloaded"]}]), detail(state="stopped"), False),
        (detail(x_limit=[{"anything-but": [100, 200, 300]}]), detail(x_limit=150), True),
        (detail(x_limit=[{"anything-but": [100, 200, 300]}]), detail(x_limit=200), False),
        # An array matches by any of its elements, here as everywhere.
        (detail(state=[{"anything-but": "stopped"}]), detail(state=["stopped", "running"]), True),
        (detail(state=[{"anything-but": "stopped"}]), detail(state=["stopped", "stopped"]), False),
        # Two of them in one list are alternatives, so one of them always holds.
        (detail(state=[{"anything-but": "a"}, {"anything-but": "b"}]), detail(state="a"), True),
    ],
    "anything-but with an operator": [
        ({"Region": [{"anything-but": {"prefix": "us-"}}]}, {"Region": "eu-west-1"}, True),
        ({"Region": [{"anything-but": {"prefix": "us-"}}]}, {"Region": "us-east-1"}, False),
        ({"Region": [{"anything-but": {"prefix": "us-"}}]}, {"Region": 12}, True),
        ({"Region": [{"anything-but": {"prefix": "us-"}}]}, {}, False),
        (detail(state=[{"anything-but": {"prefix": ["init", "error"]}}]), detail(state="initializing"), False),
        (detail(state=[{"anything-but": {"prefix": ["init", "error"]}}]), detail(state="stopped"), True),
        ({"FileName": [{"anything-but": {"suffix": ".png"}}]}, {"FileName": "a.txt"}, True),
        ({"FileName": [{"anything-but": {"suffix": ".png"}}]}, {"FileName": "a.png"}, False),
        ({"FileName": [{"anything-but": {"suffix": [".png", ".jpg"]}}]}, {"FileName": "a.jpg"}, False),
        ({"state": [{"anything-but": {"equals-ignore-case": "initializing"}}]}, {"state": "INITIALIZING"}, False),
        ({"state": [{"anything-but": {"equals-ignore-case": "initializing"}}]}, {"state": "running"}, True),
        ({"state": [{"anything-but": {"equals-ignore-case": ["a", "b"]}}]}, {"state": "B"}, False),
        ({"FilePath": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"FilePath": "/usr/lib/x"}, False),
        ({"FilePath": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"FilePath": "/usr/libs/x"}, True),
        ({"FilePath": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}, {"FilePath": "/usr/bin/x"}, False),
        ({"FilePath": [{"anything-but": {"wildcard": ""}}]}, {"FilePath": "x"}, True),
    ],
    "numeric": [
        (detail(n=[{"numeric": [">", 0, "<=", 5]}]), detail(n=5), True),
        (detail(n=[{"numeric": [">", 0, "<=", 5]}]), detail(n=0), False),
        (detail(n=[{"numeric": [">", 0, "<=", 5]}]), detail(n=5.000001), False),
        (detail(n=[{"numeric": [">", 0, "<=", 5]}]), detail(n=Decimal("0.000001")), True),
        (detail(n=[{"numeric": [">=", 0, "<", 5]}]), detail(n=0), True),
        (detail(n=[{"numeric": [">=", 0, "<", 5]}]), detail(n=5), False),
        (detail(n=[{"numeric": [">", 10, "<=", 20]}]), detail(n=15), True),
        (detail(n=[{"numeric": ["<", 10]}]), detail(n=3), True),
        (detail(n=[{"numeric": ["<", 10]}]), detail(n=10), False),
        (detail(n=[{"numeric": ["<=", 10]}]), detail(n=10), True),
        (detail(n=[{"numeric": [">", 10]}]), detail(n=10), False),
        (detail(n=[{"numeric": [">", 10]}]), detail(n=2**90), True),
        (detail(n=[{"numeric": [">", 10]}]), detail(n=Decimal("1E+999999999999")), True),
        (detail(n=[{"numeric": ["<", -10]}]), detail(n=Decimal("-1E+999999999999")), True),
        (detail(n=[{"numeric": [">=", -5e9]}]), detail(n=float("nan")), False),
        (detail(n=[{"numeric": ["=", 3.018e2]}]), detail(n=301.8), True),
        (detail(n=[{"numeric": ["=", 100]}]), detail(n=100.0), True),
        (detail(n=[{"numeric": ["=", 1]}]), detail(n=True), False),
        (detail(n=[{"numeric": [">=", 0]}]), detail(n=True), False),
        (detail(n=[{"numeric": [">=", 0]}]), detail(n="5"), False),
        (detail(n=[{"numeric": [">=", 0]}]), detail(n=None), False),
        (detail(n=[{"numeric": ["<", 0]}, {"numeric": [">", 9]}]), detail(n=[5, 10]), True),
        (detail(n=[{"numeric": [">=", -5_000_000_000, "<=", 4_999_999_999.999999]}]), detail(n=0), True),
    ],
    "exists": [
        (detail(ProductName=[{"exists": True}]), detail(ProductName="x"), True),
        (detail(ProductName=[{"exists": True}]), detail(ProductName=None), True),
        (detail(ProductName=[{"exists": True}]), detail(ProductName=date(2024, 1, 1)), True),
        (detail(ProductName=[{"exists": True}]), detail(Other="x"), False),
        (detail(ProductName=[{"exists": False}]), detail(Other="x"), True),
        (detail(ProductName=[{"exists": False}]), detail(ProductName=None), False),
        # Only the leaves of an event exist.
        (detail(c_count=[{"exists": False}]), detail(c_count={"c1": 100}), True),
        (detail(c_count=[{"exists": True}]), detail(c_count={"c1": 100}), False),
        (detail(c_count=[{"exists": True}]), detail(c_count=[]), False),
        (detail(c_count=[{"exists": False}]), detail(c_count=[[], {}]), True),
        # The parent need not be there either.
        ({"a": {"b": {"c": [{"exists": False}]}}}, {"a": {}}, True),
        ({"a": {"b": {"c": [{"exists": False}]}}}, {}, True),
        ({"a": {"b": {"c": [{"exists": False}]}}}, {"a": "text"}, True),
        ({"a": {"b": {"c": [{"exists": False}]}}}, {"a": {"b": {"c": 1}}}, False),
        ({"a": {"b": {"c": [{"exists": True}]}}}, {"a": {}}, False),
        ({"a": {"b": [{"anything-but": ["roses"]}, {"exists": False}]}}, {"a": {"c": 1}}, True),
        ({"a": {"b": [{"anything-but": ["roses"]}, {"exists": False}]}}, {"a": {"b": "roses"}}, False),
        ({"a": {"b": [{"exists": True}, {"prefix": "no"}]}}, {"a": {"b": "yes"}}, True),
        # In an array of objects no object may have the field, unless another field of the pattern picks one.
        ({"d": {"b": [{"exists": False}]}}, {"d": [{"a": 1}, {"a": 2}]}, True),
        ({"d": {"b": [{"exists": False}]}}, {"d": [{"a": 1}, {"b": 2}]}, False),
        ({"d": {"b": [{"exists": False}]}}, {"d": []}, True),
        ({"d": {"b": [{"exists": False}]}}, {"d": ["text"]}, True),
        ({"d": {"a": [1], "b": [{"exists": False}]}}, {"d": [{"a": 1}, {"b": 2}]}, True),
        ({"d": {"a": [1], "b": [{"exists": False}]}}, {"d": [{"a": 1, "b": 2}]}, False),
    ],
    "wildcard": [
        ({"EventBusArn": [{"wildcard": "arn:aws:events:us-east-1:*:event-bus/*"}]}, {"EventBusArn": BUS}, True),
        ({"EventBusArn": [{"wildcard": "arn:aws:events:eu-west-1:*:event-bus/*"}]}, {"EventBusArn": BUS}, False),
        ({"EventBusArn": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}, {"EventBusArn": BUS}, True),
        ({"FileName": [{"wildcard": "dir/*.png"}]}, {"FileName": "dir/logo.png"}, True),
        ({"FileName": [{"wildcard": "dir/*.png"}]}, {"FileName": "dir/.png"}, True),
        ({"FileName": [{"wildcard": "dir/*.png"}]}, {"FileName": "dir/logo.jpg"}, False),
        ({"FileName": [{"wildcard": "dir/*.png"}]}, {"FileName": 5}, False),
        ({"FileName": [{"wildcard": "*.png"}, {"wildcard": "a*b*c"}]}, {"FileName": "aXbXc"}, True),
        ({"FileName": [{"wildcard": "*"}]}, {"FileName": ""}, True),
        ({"FileName": [{"wildcard": "*"}]}, {"FileName": None}, False),
        ({"FileName": [{"wildcard": "plain"}]}, {"FileName": "plain"}, True),
        ({"FileName": [{"wildcard": "aa*aa"}]}, {"FileName": "aaa"}, False),
        ({"FileName": [{"wildcard": "a*b*b"}]}, {"FileName": "ab"}, False),
        ({"FileName": [{"wildcard": "*ab*b"}]}, {"FileName": "xab"}, False),
        ({"FileName": [{"wildcard": r"5\*5*"}]}, {"FileName": "5*5=25"}, True),
        ({"FileName": [{"wildcard": r"5\*5*"}]}, {"FileName": "5x5=25"}, False),
        ({"FileName": [{"wildcard": r"C:\\*\\x"}]}, {"FileName": r"C:\dir\x"}, True),
        ({"FileName": [{"wildcard": r"\**"}]}, {"FileName": "*any"}, True),
        ({"FileName": [{"wildcard": "a?[b]*"}]}, {"FileName": "a?[b]c"}, True),
        ({"FileName": [{"wildcard": "a*\nb*c"}]}, {"FileName": "a\n\nbc"}, True),
    ],
    "cidr": [
        (detail(ip=[{"cidr": "10.0.0.0/24"}]), detail(ip="10.0.0.255"), True),
        (detail(ip=[{"cidr": "10.0.0.0/24"}]), detail(ip="10.0.1.0"), False),
        (detail(ip=[{"cidr": "10.0.0.7/32"}]), detail(ip="10.0.0.7"), True),
        (detail(ip=[{"cidr": "0.0.0.0/0"}]), detail(ip="255.255.255.255"), True),
        (detail(ip=[{"cidr": "0.0.0.0/0"}]), detail(ip="::1"), False),
        (detail(ip=[{"cidr": "::/0"}]), detail(ip="10.0.0.1"), False),
        (
            detail(ip=[{"cidr": "2001:db8:1234:1a00::/64"}]),
            detail(ip="2001:0db8:1234:1a00:0000:0000:0000:0001"),
            True,
        ),
        (detail(ip=[{"cidr": "2001:db8::/64"}]), detail(ip="2001:db8:0:1::"), False),
        (detail(ip=[{"cidr": "10.0.0.0/8"}, {"cidr": "2001:db8::/64"}]), detail(ip="2001:db8::9"), True),
        (detail(ip=[{"cidr": "10.0.0.0/8"}]), detail(ip="10.0.0"), False),
        (detail(ip=[{"cidr": "10.0.0.0/8"}]), detail(ip="10.0.0.256"), False),
        (detail(ip=[{"cidr": "10.0.0.0/8"}]), detail(ip="host.example"), False),
        (detail(ip=[{"cidr": "0.0.0.0/0"}]), detail(ip=167772161), False),
        (detail(ip=[{"cidr": "::/0"}]), detail(ip="\ud800::1"), False),
        (detail(ip=[{"cidr": "::/0"}]), detail(ip=":" * 1_000_000), False),
    ],
    "$or": [
        ({"$or": [{"Location": ["New York"]}, {"Day": ["Monday"]}]}, {"Location": "Rome", "Day": "Monday"}, True),
        ({"$or": [{"Location": ["New York"]}, {"Day": ["Monday"]}]}, {"Location": "Rome", "Day": "Friday"}, False),
        (COUNTS, detail(c_count=0, d_count=0, x_limit=901.8), True),
        (COUNTS, detail(c_count=5, d_count=99), True),
        (COUNTS, detail(x_limit=301.8), True),
        (COUNTS, detail(c_count=6, d_count=10, x_limit=301.9), False),
        (METRICS, {"source": "aws.cloudwatch", "metricName": "ReadLatency"}, True),
        (METRICS, {"source": "aws.cloudwatch", "metricType": "MetricType", "spaceId": 1000}, True),
        (METRICS, {"source": "aws.cloudwatch", "metricType": "MetricType", "spaceId": 1}, False),
        (METRICS, {"source": "aws.cloudwatch", "scope": "Service"}, True),
        (METRICS, {"source": "aws.ec2", "scope": "Service"}, False),
        (
            {"$or": [{"a": [1]}, {"b": [1]}], "c": {"$or": [{"d": [1]}, {"e": [1]}]}},
            {"b": 1, "c": {"e": 1}},
            True,
        ),
        ({"$or": [{"a": [1]}, {"b": [1]}], "c": {"$or": [{"d": [1]}, {"e": [1]}]}}, {"b": 1, "c": {}}, False),
        ({"x": {"$or": [{"a": [{"exists": False}]}, {"b": [1]}]}}, {"x": {"a": 1, "b": 1}}, True),
    ],
    "several operators": [
        (COMPLEX, {"time": "2017-10-02T18:43:48Z", "detail": COMPLEX_DETAIL}, True),
        (COMPLEX, {"time": "2017-10-02T18:43:48Z", "detail": COMPLEX_DETAIL | {"x-limit": 300}}, False),
        (COMPLEX, {"time": "2017-10-02T18:43:48Z", "detail": COMPLEX_DETAIL | {"c-count": 0}}, False),
        ({"a": ["skyli", {"prefix": "hey"}, {"suffix": "ad"}, 5, True, None]}, {"a": "hello ad"}, True),
        ({"a": ["skyli", {"prefix": "hey"}, {"suffix": "ad"}, 5, True, None]}, {"a": True}, True),
        ({"a": ["skyli", {"prefix": "hey"}, {"suffix": "ad"}, 5, True, None]}, {"a": 1}, False),
        ({"a": ["skyli", {"prefix": "hey"}, {"suffix": "ad"}, 5, True, None]}, {"a": "x"}, False),
    ],
    "what is not a plain JSON object": [
        ({"a": [{"exists": False}]}, None, False),
        ({"a": [{"exists": False}]}, [{"a": 1}], False),
        ({"a": [{"exists": False}]}, "text", False),
        ({"$or": [{"a": [1]}, {"b": [1]}]}, 5, False),
        (MappingProxyType({"a": UserDict({"b": [1]})}), MappingProxyType({"a": UserDict({"b": 1})}), True),
        ({"a": {"b": [1]}}, {"a": [UserDict({"b": 1})]}, True),
        ({"a": ["on"]}, {"a": Switch.ON}, True),
        ({"a": ["x", 1]}, {"a": bytearray(b"x")}, False),
        ({"a": [{"anything-but": "x"}]}, {"a": b"x"}, True),
    ],
}


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        pytest.param(*case, id=f"{name} {number}")
        for name, cases in MATCHES.items()
        for number, case in enumerate(cases, 1)
    ],
)
def test_pattern_matches(pattern, event, expected):
    assert compile_pattern(pattern)(event) is expected


def test_decimals_are_told_apart_before_anything_has_imported_them(monkeypatch):
    monkeypatch.delitem(__import__("sys").modules, "decimal")
    assert compile_pattern({"a": [{"anything-but": "x"}]})({"a": b"x"})


# ---------------------------------------------------------------------------------------------------------------------
# Malformed patterns: (pattern, the place the message names, a word of what is wrong or allowed)


def nested(depth):
    pattern: dict[str, Any] = {"a": ["x"]}
    for _ in range(depth - 1):
        pattern = {"a": pattern}
    return pattern


def fork(width):
    return [{f"k{number}": [1]} for number in range(width)]


MALFORMED = [
    # the structure
    (None, "event pattern:", "null; a pattern is an object"),
    (["x"], "event pattern:", "a list; a pattern is an object"),
    ({}, "event pattern:", "empty object"),
    ({"detail": {}}, "detail:", "empty object"),
    ({"detail": {5: ["x"]}}, "detail:", "the key 5; keys are strings"),
    ({"detail": []}, "detail:", "empty list"),
    ({"detail": "x"}, "detail:", "'x'; give a list"),
    ({"detail": 42}, "detail:", "42; give a list"),
    ({"detail": True}, "detail:", "true; give a list"),
    ({"detail": {"state": {"prefix": "x"}}}, "detail.state.prefix:", '[{"prefix": ...}]'),
    ({"a": [["x"]]}, "a[0]:", "a list; give a string"),
    ({"a": ["x", float("nan")]}, "a[1]:", "nan; give a string, a finite number"),
    ({"a": [Decimal("Infinity")]}, "a[0]:", "finite number"),
    ({"a": [b"x"]}, "a[0]:", "b'x'"),
    ({"a": ["y" * 100, b"x" * 100]}, "a[1]:", "..."),
    ({"a.b": {"": 5}}, "['a.b']['']:", "give a list"),
    ({"line\nbreak": 5}, "['line\\nbreak']:", "give a list"),
    (nested(MAX_DEPTH + 1), "a.a.a", "deeper than 100"),
    # operators
    ({"a": [{}]}, "a[0]:", "0 operators; give one of prefix, suffix"),
    ({"a": [{"prefix": "x", "suffix": "y"}]}, "a[0]:", "2 operators"),
    ({"a": ["x", {"regex": "y"}]}, "a[1]:", "'regex' is no operator here; allowed are prefix"),
    ({"a": [{"EXISTS": True}]}, "a[0]:", "'EXISTS' is no operator"),
    ({"a": [{5: True}]}, "a[0]:", "5 is no operator"),
    ({"a": [{"prefix": 5}]}, "a[0].prefix:", "5; give a string"),
    ({"a": [{"suffix": ["x"]}]}, "a[0].suffix:", "a list; give a string"),
    ({"a": [{"prefix": {"wildcard": "x"}}]}, "a[0].prefix:", "allowed are equals-ignore-case"),
    ({"a": [{"prefix": {"equals-ignore-case": 5}}]}, "a[0].prefix.equals-ignore-case:", "give a string"),
    ({"a": [{"equals-ignore-case": ["x"]}]}, "a[0].equals-ignore-case:", "give a string"),
    ({"a": [{"exists": "true"}]}, "a[0].exists:", "'true'; give true or false"),
    ({"a": [{"exists": 1}]}, "a[0].exists:", "1; give true or false"),
    ({"a": [{"wildcard": 5}]}, "a[0].wildcard:", "give a string"),
    ({"a": [{"wildcard": "a**b"}]}, "a[0].wildcard:", "two * in a row"),
    ({"a": [{"wildcard": r"a\b"}]}, "a[0].wildcard:", "neither * nor"),
    ({"a": [{"wildcard": "ab\\"}]}, "a[0].wildcard:", "neither * nor"),
    # anything-but
    ({"a": [{"anything-but": None}]}, "a[0].anything-but:", "null; give only strings, only numbers or an object"),
    ({"a": [{"anything-but": True}]}, "a[0].anything-but:", "true"),
    ({"a": [{"anything-but": []}]}, "a[0].anything-but:", "empty list"),
    ({"a": [{"anything-but": ["x", 1]}]}, "a[0].anything-but[1]:", "only strings"),
    ({"a": [{"anything-but": [1, "x"]}]}, "a[0].anything-but[1]:", "only numbers"),
    ({"a": [{"anything-but": ["x", None]}]}, "a[0].anything-but[1]:", "null"),
    ({"a": [{"anything-but": [{"prefix": "x"}]}]}, "a[0].anything-but[0]:", "an object"),
    ({"a": [{"anything-but": {}}]}, "a[0].anything-but:", "0 operators"),
    ({"a": [{"anything-but": {"numeric": ["=", 5]}}]}, "a[0].anything-but:", "'numeric' is no operator here"),
    ({"a": [{"anything-but": {"prefix": ""}}]}, "a[0].anything-but.prefix:", "empty prefix"),
    ({"a": [{"anything-but": {"suffix": ["x", ""]}}]}, "a[0].anything-but.suffix[1]:", "empty suffix"),
    ({"a": [{"anything-but": {"prefix": {"equals-ignore-case": "x"}}}]}, "a[0].anything-but.prefix:", "a string"),
    ({"a": [{"anything-but": {"prefix": 5}}]}, "a[0].anything-but.prefix:", "5"),
    ({"a": [{"anything-but": {"wildcard": []}}]}, "a[0].anything-but.wildcard:", "empty list"),
    ({"a": [{"anything-but": {"wildcard": ["x", "**"]}}]}, "a[0].anything-but.wildcard[1]:", "two *"),
    ({"a": [{"anything-but": {"equals-ignore-case": [1]}}]}, "a[0].anything-but.equals-ignore-case[0]:", "1"),
    # numeric
    ({"detail": {"price": [{"numeric": [">"]}]}}, "detail.price[0].numeric:", "one comparison or a range"),
    ({"a": [{"numeric": []}]}, "a[0].numeric:", "one comparison or a range"),
    ({"a": [{"numeric": 5}]}, "a[0].numeric:", "one comparison or a range"),
    ({"a": [{"numeric": [">", 0, "<"]}]}, "a[0].numeric:", "one comparison or a range"),
    ({"a": [{"numeric": [">", 0, "<", 5, "=", 3]}]}, "a[0].numeric:", "one comparison or a range"),
    ({"a": [{"numeric": ["!=", 5]}]}, "a[0].numeric[0]:", "'!='; allowed are =, <"),
    ({"a": [{"numeric": [5, ">"]}]}, "a[0].numeric[0]:", "5; allowed are"),
    ({"a": [{"numeric": [[], 5]}]}, "a[0].numeric[0]:", "a list; allowed are"),
    ({"a": [{"numeric": [">", "5"]}]}, "a[0].numeric[1]:", "'5'; give a finite number"),
    ({"a": [{"numeric": [">", True]}]}, "a[0].numeric[1]:", "true"),
    ({"a": [{"numeric": [">", 0, "<", None]}]}, "a[0].numeric[3]:", "null"),
    ({"a": [{"numeric": ["<", float("inf")]}]}, "a[0].numeric[1]:", "finite"),
    ({"a": [{"numeric": [">", 5_000_000_001]}]}, "a[0].numeric[1]:", "-5e9 to 5e9"),
    ({"a": [{"numeric": [">", -(10**5000)]}]}, "a[0].numeric[1]:", "a number of 16610 bits"),
    ({"a": [{"numeric": ["=", 0.0000001]}]}, "a[0].numeric[1]:", "6 decimal places"),
    ({"a": [{"numeric": [">", 5, "<", 5]}]}, "a[0].numeric:", "no number lies between 5 and 5"),
    ({"a": [{"numeric": [">", 5, "<", 1]}]}, "a[0].numeric:", "no number lies between 5 and 1"),
    ({"a": [{"numeric": ["<", 5, ">", 1]}]}, "a[0].numeric:", "lower bound comes first"),
    ({"a": [{"numeric": [">", 0, ">", 0]}]}, "a[0].numeric:", "lower bound comes first"),
    ({"a": [{"numeric": ["=", 0, "=", 0]}]}, "a[0].numeric:", "lower bound comes first"),
    # cidr
    ({"a": [{"cidr": 5}]}, "a[0].cidr:", "give a string"),
    ({"a": [{"cidr": "10.0.0.0"}]}, "a[0].cidr:", "such as 10.0.0.0/24"),
    ({"a": [{"cidr": "10.0.0.0/255.0.0.0"}]}, "a[0].cidr:", "number of bits"),
    ({"a": [{"cidr": "10.0.0.0/33"}]}, "a[0].cidr:", "such as"),
    ({"a": [{"cidr": "::/129"}]}, "a[0].cidr:", "such as"),
    ({"a": [{"cidr": "bad-/64"}]}, "a[0].cidr:", "such as"),
    ({"a": [{"cidr": "10.0.0.1/24"}]}, "a[0].cidr:", "host bits"),
    # $or
    ({"$or": {"a": ["x"]}}, "$or:", "two or more objects"),
    ({"$or": []}, "$or:", "two or more objects"),
    ({"$or": [{"a": ["x"]}]}, "$or:", "two or more objects"),
    ({"detail": {"$or": [{"a": ["x"]}, "y"]}}, "detail.$or:", "two or more objects"),
    ({"$or": [{"a": ["x"]}, {}]}, "$or[1]:", "empty object"),
    ({"$or": [{"a": ["x"]}, {"b": {"c": "y"}}]}, "$or[1].b.c:", "give a list"),
    ({"$or": [{"numeric": [123]}, {"a": ["x"]}]}, "$or[0].numeric:", "name of an operator"),
    ({"$or": [{"a": ["x"]}, {"b": {"prefix": ["y"]}}]}, "$or[1].b.prefix:", "name of an operator"),
    ({"a": ["x"], "$or": [{"a": ["y"]}, {"b": ["z"]}]}, "$or:", "a second time for the field 'a'"),
    ({"$or": [{"d": {"a": ["x"]}}, {"b": [1]}], "d": {"a": ["y"]}}, "d:", "second time for the field 'a'"),
    ({"a": {"b": [1]}, "$or": [{"a": ["y"]}, {"b": ["z"]}]}, "$or:", "a second time for the field 'a'"),
    ({"$or": fork(MAX_COMBINATIONS + 1)}, "$or:", "1000 combinations"),
    ({"a": {"$or": fork(40)}, "b": {"$or": fork(40)}}, "b:", "1000 combinations"),
]


@pytest.mark.parametrize(("pattern", "place", "problem"), MALFORMED)
@pytest.mark.parametrize("reader", [compile_pattern, canonical])
def test_malformed_pattern_is_refused_with_its_place_and_what_is_allowed(reader, pattern, place, problem):
    with pytest.raises(ConfigurationError) as refused:
        reader(pattern)
    message = str(refused.value)
    assert message.startswith("event pattern")
    assert place in message
    assert problem in message
    assert "\n" not in message
    assert len(message) < 500


def test_limits_are_reached_before_a_pattern_is_refused():
    event: dict[str, Any] = {}
    for _ in range(MAX_DEPTH - 1):
        event = {"a": [event]}
    deep = compile_pattern(nested(MAX_DEPTH))
    assert not deep(event)
    assert compile_pattern({"$or": fork(MAX_COMBINATIONS)})({f"k{MAX_COMBINATIONS - 1}": 1})
    assert compile_pattern({"a": {"$or": fork(30)}, "b": {"$or": fork(30)}})({"a": {"k29": 1}, "b": {"k0": 1}})


def test_a_pattern_that_contains_itself_is_refused():
    pattern: dict[str, Any] = {"x": ["y"]}
    pattern["again"] = pattern
    with pytest.raises(ConfigurationError, match="nested deeper"):
        compile_pattern(pattern)


def test_compiling_leaves_the_pattern_alone():
    pattern = {"a": [{"anything-but": ["x"]}], "$or": [{"b": {"c": [1]}}, {"b": {"d": [2]}}]}
    before = repr(pattern)
    compile_pattern(pattern)
    canonical(pattern)
    assert repr(pattern) == before


# ---------------------------------------------------------------------------------------------------------------------
# canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": ["x"], "b": ["y"]}, {"b": ["y"], "a": ["x"]}),
        ({"a": ["x", "y"]}, {"a": ["y", "x", "x"]}),
        ({"a": [300]}, {"a": [3.0e2]}),
        ({"a": [300]}, {"a": [Decimal("300")]}),
        ({"a": [300]}, {"a": [{"numeric": ["=", 300.0]}]}),
        ({"a": [{"anything-but": "x"}]}, {"a": [{"anything-but": ["x"]}]}),
        ({"a": [{"anything-but": {"prefix": ["x", "y"]}}]}, {"a": [{"anything-but": {"prefix": ("y", "x")}}]}),
        ({"a": [{"equals-ignore-case": "ABC"}]}, {"a": [{"equals-ignore-case": "abc"}]}),
        ({"a": [{"wildcard": "x*"}]}, {"a": [{"prefix": "x"}]}),
        ({"a": [{"wildcard": "*x"}]}, {"a": [{"suffix": "x"}]}),
        ({"a": [{"wildcard": r"\*"}]}, {"a": ["*"]}),
        ({"a": [{"cidr": "::0/64"}]}, {"a": [{"cidr": "0:0::/64"}]}),
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"$or": [{"b": [2]}, {"a": [1]}]}),
        ({"c": [3], "$or": [{"a": [1]}, {"b": [2]}]}, {"$or": [{"b": [2], "c": [3]}, {"a": [1], "c": [3]}]}),
    ],
)
def test_canonical_is_equal_whatever_the_order(one, other):
    assert canonical(one) == canonical(other)
    assert hash(canonical(one)) == hash(canonical(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": ["x"]}, {"b": ["x"]}),
        ({"a": ["x"]}, {"a": ["x", "y"]}),
        ({"a": [1]}, {"a": [True]}),
        ({"a": [0]}, {"a": [False]}),
        ({"a": ["1"]}, {"a": [1]}),
        ({"a": [None]}, {"a": ["null"]}),
        ({"a": [{"exists": True}]}, {"a": [{"exists": False}]}),
        ({"a": [{"prefix": "x"}]}, {"a": [{"suffix": "x"}]}),
        ({"a": [{"prefix": "x"}]}, {"a": [{"prefix": {"equals-ignore-case": "x"}}]}),
        ({"a": [{"numeric": [">", 1]}]}, {"a": [{"numeric": [">=", 1]}]}),
        ({"a": [{"cidr": "10.0.0.0/8"}]}, {"a": [{"cidr": "10.0.0.0/9"}]}),
        # An object whose field is called like an operator is not that operator.
        ({"a": [{"anything-but": "x"}]}, {"a": {"anything-but": ["x"]}}),
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"a": [1], "b": [2]}),
    ],
)
def test_canonical_differs_where_the_meaning_does(one, other):
    assert canonical(one) != canonical(other)


# ---------------------------------------------------------------------------------------------------------------------
# Properties

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-3, max_value=3),
    st.floats(),
    st.decimals(),
    st.text(alphabet=st.characters(), max_size=8),
    st.sampled_from(["", "a", "b", "aab", "A", "\ud800", "10.0.0.1", "::1", "999.0.0.1", "1" * 100, Decimal("sNaN")]),
    st.binary(max_size=2),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pqxo") | st.text(), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.text(alphabet="abA*\\", max_size=5)
VALUES = st.sampled_from([None, True, 1, "v"])
PLAIN_TESTS = VALUES | st.sampled_from([{"exists": True}, {"exists": False}])
ESCAPED = TEXTS.map(lambda text: re.sub(r"([*\\])", r"\\\1", text))
WILDCARDS = st.lists(ESCAPED.filter(bool) | st.just("*"), max_size=6).map(
    lambda parts: re.sub(r"(?<!\\)((?:\\\\)*)\*{2,}", r"\1*", "".join(parts))
)
ANY_TESTS = st.one_of(
    PLAIN_TESTS,
    st.sampled_from(["prefix", "suffix", "equals-ignore-case"]).flatmap(
        lambda name: TEXTS.map(lambda text: {name: text})
    ),
    st.sampled_from(["prefix", "suffix"]).flatmap(
        lambda name: TEXTS.map(lambda text: {name: {"equals-ignore-case": text}})
    ),
    WILDCARDS.map(lambda text: {"wildcard": text}),
    st.sampled_from([{"numeric": [">", -1, "<=", 2.5]}, {"numeric": ["=", 1]}, {"numeric": ["<", 0]}]),
    st.sampled_from([{"cidr": "10.0.0.0/8"}, {"cidr": "::/0"}]),
    st.sampled_from([{"anything-but": ["a", "b"]}, {"anything-but": 1}, {"anything-but": {"wildcard": "*a*"}}]),
)


@st.composite
def patterns(draw, tests, leaves="pq", forks=("xy", "st"), depth=2):
    """Objects with fields named in `leaves`, an object `o` and a `$or`; each fork names its own fields, and `o`."""
    values = st.lists(tests, min_size=1, max_size=3)
    pattern = draw(st.dictionaries(st.sampled_from(leaves), values, max_size=2))
    if depth and draw(st.booleans()):
        pattern["o"] = draw(patterns(tests, leaves, forks[1:], depth - 1))
    if forks and draw(st.booleans()):
        choices = patterns(tests, forks[0], forks[1:], depth)
        pattern["$or"] = draw(st.lists(choices, min_size=2, max_size=2))
    return pattern or {leaves[0]: draw(values)}


@st.composite
def events(draw, depth=3):
    """Events for those patterns: what the fields hold may be in arrays, and `o` may be an array of objects."""
    held = VALUES | st.lists(VALUES | st.lists(VALUES, max_size=2), max_size=2)
    event = draw(st.dictionaries(st.sampled_from("pqxyst"), held, max_size=6))
    if depth and draw(st.booleans()):
        inner = events(depth - 1)
        event["o"] = draw(inner | st.lists(inner | st.lists(inner, max_size=2) | VALUES, max_size=3))
    return event


def compiled(pattern):
    """The predicate, or no example when an alternative of `$or` repeats a field beside it."""
    try:
        return compile_pattern(pattern)
    except ConfigurationError as error:
        assume("a second time" not in str(error))
        raise


@settings(deadline=None)  # a busy machine is not a failure
@given(pattern=patterns(ANY_TESTS), event=JSON | st.dictionaries(st.sampled_from("pqxo"), JSON, max_size=3))
def test_a_compiled_pattern_answers_for_any_value(pattern, event):
    assert compiled(pattern)(event) in (True, False)


@settings(deadline=None)  # a busy machine is not a failure
@given(pattern=patterns(ANY_TESTS), shuffle=st.randoms(use_true_random=False))
def test_canonical_ignores_every_order(pattern, shuffle: random.Random):
    compiled(pattern)
    assert canonical(shuffled(pattern, shuffle)) == canonical(pattern)


def shuffled(pattern, shuffle):
    fields = list(pattern.items())
    shuffle.shuffle(fields)
    result = {}
    for key, value in fields:
        if isinstance(value, dict):
            result[key] = shuffled(value, shuffle)
        else:
            items = [shuffled(item, shuffle) if key == "$or" else item for item in value]
            shuffle.shuffle(items)
            result[key] = items
    return result


@settings(max_examples=500)
@given(wildcard=WILDCARDS, text=st.text(alphabet="abA*\\", max_size=12))
def test_wildcard_agrees_with_a_regular_expression(wildcard, text):
    tokens = re.findall(r"\\.|[^\\]", wildcard, re.DOTALL)
    expression = "".join(".*" if token == "*" else re.escape(token[-1]) for token in tokens)
    expected = re.fullmatch(expression, text, re.DOTALL) is not None
    assert compile_pattern({"a": [{"wildcard": wildcard}]})({"a": text}) is expected


def with_operator(name, texts):
    return {name: texts}, [{name: text} for text in texts]


@given(
    pair=st.one_of(
        st.lists(st.text(alphabet="ab", max_size=2), min_size=1, max_size=3).map(lambda values: (values, values)),
        st.lists(st.integers(-3, 3) | st.just(0.5), min_size=1, max_size=3).map(lambda values: (values, values)),
        *(
            st.lists(st.sampled_from(["a", "ab", "A"]), min_size=1, max_size=3).map(partial(with_operator, name))
            for name in ("prefix", "suffix", "equals-ignore-case", "wildcard")
        ),
    ),
    value=SCALARS,
)
def test_anything_but_is_the_complement_for_every_scalar(pair, value):
    excluded, accepted = pair
    event = {"a": value}
    assert compile_pattern({"a": [{"anything-but": excluded}]})(event) is not compile_pattern({"a": accepted})(event)


@given(value=SCALARS)
def test_exists_is_true_or_false_and_never_both(value):
    present, absent = compile_pattern({"a": [{"exists": True}]}), compile_pattern({"a": [{"exists": False}]})
    assert present({"a": value})
    assert not absent({"a": value})
    assert absent({"b": value})


@settings(max_examples=300, deadline=None)
@given(pattern=patterns(PLAIN_TESTS), event=events())
def test_nesting_arrays_and_or_agree_with_the_rules_as_written(pattern, event):
    assert compiled(pattern)(event) is matches_by_the_book(pattern, event)


def matches_by_the_book(pattern, event):
    """The meaning by brute force: leaves with their paths, and every way to choose one for each field asked for.

    A choice holds if no two of its leaves lie in different elements of one array, and if a field that is to be missing
    has no leaf that could join the choice.
    """
    leaves = list(leaves_of(event, (), {}))
    return any(
        all(not joins(leaf, path, chosen) for path in absent for leaf in leaves)
        for fields in branches(pattern, ())
        for chosen, absent in choices_of(fields, leaves)
    )


def choices_of(fields, leaves, chosen=(), absent=()):
    """Each choice as (places of the leaves it took, paths it left out)."""
    if not fields:
        yield chosen, absent
        return
    (path, tests), *rest = fields
    if {"exists": False} in tests:
        yield from choices_of(rest, leaves, chosen, (*absent, path))
    for leaf in leaves:
        if joins(leaf, path, chosen) and any(accepts(test, leaf[1]) for test in tests):
            yield from choices_of(rest, leaves, (*chosen, leaf[2]), absent)


def joins(leaf, path, chosen):
    return leaf[0] == path and all(
        places.get(array, index) == index for places in chosen for array, index in leaf[2].items()
    )


def branches(pattern, path):
    """Each combination of `$or` alternatives as a list of (path, tests)."""
    groups = []
    for key, value in pattern.items():
        if key == "$or":
            groups.append([branch for item in value for branch in branches(item, path)])
        elif isinstance(value, dict):
            groups.append(branches(value, (*path, key)))
        else:
            groups.append([[((*path, key), value)]])
    return [list(chain(*choice)) for choice in product(*groups)]


def leaves_of(value, path, places):
    """(path, scalar, {array: index}) of every scalar; `places` says in which element of which array it lies."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves_of(inner, (*path, key), places)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            scalar = not isinstance(inner, (dict, list))
            yield from leaves_of(inner, path, places if scalar else {**places, id(value): index})
    else:
        yield (path, value, places)


def accepts(test, value):
    if isinstance(test, dict):
        return test["exists"]
    return type(test) is type(value) and test == value


# ---------------------------------------------------------------------------------------------------------------------
# Hostile input


def test_deeply_nested_arrays_and_objects_are_no_recursion():
    arrays: Any = "x"
    objects: Any = "x"
    for _ in range(100_000):
        arrays, objects = [arrays], {"a": objects}
    assert compile_pattern({"a": ["x"]})({"a": arrays})
    assert not compile_pattern({"a": {"b": ["x"]}})({"a": arrays})
    assert not compile_pattern({"a": ["x"]})(objects)
    while isinstance(objects, dict):  # taken apart here, for Python frees nested objects recursively
        objects = objects["a"]


class Counted(str):
    """A string that notes from where to where it was searched."""

    searched: list[tuple[int, int]]

    def find(self, part: str, start: Any = None, stop: Any = None, /) -> int:
        found = super().find(part, start, stop)
        self.searched.append((start, stop if found < 0 else found + len(part)))
        return found


@pytest.mark.parametrize("stars", [2, 20, 200])
def test_a_hostile_wildcard_reads_each_character_once(stars):
    # The classic trap of backtracking: every star could stand for almost anything, and the end never comes.
    text = Counted("a" * 50_000 + "c")
    text.searched = []
    assert not compile_pattern({"a": [{"wildcard": "*a" * stars + "*b*c"}]})({"a": text})
    assert len(text.searched) == stars + 1
    for (_, end), (start, _) in zip(text.searched, text.searched[1:], strict=False):
        assert start == end
    assert sum(end - start for start, end in text.searched) <= len(text)


@pytest.mark.timeout(20)
def test_hostile_wildcards_of_any_shape_come_to_an_end():
    text = "ab" * 100_000
    for wildcard in ("*a*b" * 500 + "*c*", "*" + "ab" * 40 + "x*y", "a*" * 1000 + "z"):
        assert not compile_pattern({"a": [{"wildcard": wildcard}]})({"a": text})


# ---- dots ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern", [{"a.b.c": [1]}, {"a": {"b.c": [1]}}, {"a.b": {"c": [1]}}, {"a": {"b": {"c": [1]}}}]
)
def test_a_dot_in_a_key_stands_for_nesting_in_pattern_and_event(pattern: Any) -> None:
    takes = compile_pattern(pattern)
    for event in ({"a": {"b": {"c": 1}}}, {"a.b.c": 1}, {"a": {"b.c": 1}}, {"a.b": {"c": [2, 1]}}):
        assert takes(event)
    for event in ({"a": {"b": {"c": 2}}}, {"a.b.c": 2}, {"a": 1}, {"a.b": 1}, {}):
        assert not takes(event)
    assert canonical(pattern) == canonical({"a": {"b": {"c": [1]}}})


def test_dots_with_absence_alternatives_and_repetition() -> None:
    absent = compile_pattern({"a.b": [{"exists": False}]})
    assert absent({})
    assert absent({"a": {}})
    assert not absent({"a": {"b": 1}})
    assert not absent({"a.b": 1})
    either = compile_pattern({"$or": [{"a.b": [1]}, {"c.d": [2]}]})
    assert either({"a": {"b": 1}})
    assert either({"c": {"d": 2}})
    assert not either({"a": {"b": 2}})
    with pytest.raises(ConfigurationError, match="a second time"):
        compile_pattern({"a.b": [1], "a": {"b": [2]}})
    assert compile_pattern({"a.b": [1], "a": {"c": [2]}})({"a": {"b": 1, "c": 2}})


@pytest.mark.parametrize("key", [".", "a.", ".a", "a..b"])
def test_a_key_with_an_empty_part_is_a_name_like_any_other(key: str) -> None:
    assert compile_pattern({key: [1]})({key: 1})
    assert not compile_pattern({key: [1]})({"a": {"b": 1}})
