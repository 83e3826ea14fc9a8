"""The surroundings of an application whose versions are published, as SnapStart wants it."""

from __future__ import annotations

from router.contract import Function, FunctionUrl, HttpApi, Queue, Stack, Table, Topic

stack = Stack(
    "tests.integration.deployed.published_app:resolver",
    Function(snap_start=True),
    HttpApi(),
    FunctionUrl(public=True),
    Table(variable="NOTES", sk=""),
    Queue(variable="JOBS"),
    Topic(variable="NEWS"),
    name="published",
    handler="tests.integration.deployed.published_app.handler",
)
