"""The surroundings of the application that notes what it is called with."""

from __future__ import annotations

from router.contract import Bus, Queue, Stack, Table, Topic

stack = Stack(
    "tests.integration.deployed.filters_app:resolver",
    Table(variable="NOTES", sk=""),
    Queue(variable="FILTERED", filters=True),
    Queue(variable="UNFILTERED"),
    Queue(variable="STRICT", filters=True, dead_letter=1, visibility=1),  # what its pattern declines has to fail
    Topic(variable="NEWS", filters=True),
    Topic("filtered-copies"),
    Queue(variable="COPIES", filters=True),
    Table(variable="ORDERS", sk="", types={"kind": "S"}, filters=True),
    Bus(variable="EVENTS", filters=True),
    name="filters",
    handler="tests.integration.deployed.filters_app.handler",
)
