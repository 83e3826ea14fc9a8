"""The settings of functions that nobody declared: those of the main one."""

from __future__ import annotations

import json
from typing import Any

import cfnlint.api
import pytest

from router import Event, Resolver
from router.contract import Function, Stack
from router.contract.sam import template

LAYER = "arn:aws:lambda:eu-west-1:123456789012:layer:shop:7"
MAIN: dict[str, Any] = {
    "timeout": 90,
    "memory": 1024,
    "architecture": "x86_64",
    "runtime": "python3.12",
    "tracing": True,
    "log_retention": 7,
    "gradual": "Canary10Percent5Minutes",
    "variables": {"LEVEL": "debug"},
}
resolver = Resolver()


@resolver.get("/")
def show() -> None: ...


@resolver.on_queue("orders")
def order(event: Event) -> None: ...


@resolver.get("/reports", function="reports")
def report() -> None: ...


def functions(*declared: Any, split: str = "source") -> dict[str, dict[str, Any]]:
    """Return the properties of functions and of their logs, by logical id."""
    made = template(Stack(f"{__name__}:resolver", *declared, name="shop").infrastructure(split))
    assert [str(one) for one in cfnlint.api.lint(json.dumps(made))] == []
    held = made["Resources"]
    return {
        name.removesuffix("Function"): {
            **one["Properties"],
            "Retention": held[one["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]["RetentionInDays"],
        }
        for name, one in held.items()
        if one["Type"] == "AWS::Serverless::Function"
    }


def test_functions_of_a_split_are_like_the_main_one() -> None:
    found = functions(Function(**MAIN, layers=(LAYER,), snap_start=True))
    assert set(found) == {"Http", "Sqs", "Reports"}
    for one in found.values():
        assert (one["Timeout"], one["MemorySize"], one["Architectures"]) == (90, 1024, ["x86_64"])
        assert (one["Runtime"], one["Layers"], one["Tracing"], one["Retention"]) == ("python3.12", [LAYER], "Active", 7)
        assert one["SnapStart"] == {"ApplyOn": "PublishedVersions"}
        assert one["DeploymentPreference"]["Type"] == "Canary10Percent5Minutes"
        assert one["Environment"]["Variables"]["LEVEL"] == "debug"
    told = {name: one["Environment"]["Variables"]["JUNCTION_FUNCTION"] for name, one in found.items()}
    assert told == {"Http": "http", "Sqs": "sqs", "Reports": "reports"}


def test_what_is_declared_of_a_function_is_all_of_it() -> None:
    found = functions(Function(**MAIN), Function("reports", memory=2048))
    assert (found["Reports"]["MemorySize"], found["Reports"]["Timeout"]) == (2048, 30)
    assert found["Http"]["MemorySize"] == 1024


@pytest.mark.parametrize("split", ["function", "source"])
def test_a_share_of_the_account_and_durable_executions_stay_with_the_main_one(split: str) -> None:
    found = functions(Function(reserved=5, durable=3600, image=True), split=split)
    for name, one in found.items():
        is_main = name == "Main"
        assert ("ReservedConcurrentExecutions" in one, "DurableConfig" in one) == (is_main, is_main)
        assert one["PackageType"] == "Image"


def test_tenants_are_apart_in_the_main_one_alone() -> None:
    tenants = Resolver()
    tenants.on_invoke("one")(show)
    tenants.on_queue("two", function="queues")(order)
    globals()["tenants"] = tenants
    held = Stack(f"{__name__}:tenants", Function(tenant_isolation=True), name="shop").infrastructure()
    assert {part.name: part.function.tenant_isolation for part in held.parts} == {"main": True, "queues": False}
