"""One process, a thousand calls: sync and async routes, HTTP, queues and direct invokes, tenants in turn."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from router.testing import samples
from tests.e2e.upstream import Upstream, upstream
from tests.servers.lambda_process import LambdaProcess
from tests.servers.runtime_api import Invocation

CALLS = 1000
TENANTS = ("acme", "globex", None, "initech")
# Far above what it takes; it tells a loop or a client that is made anew for each call, and a delayed ACK of 40 ms.
SLOWEST_MEDIAN_S = 0.03


@pytest.fixture(scope="module")
def server() -> Iterator[Upstream]:
    with upstream() as running:
        yield running


@pytest.fixture(scope="module")
def function(server: Upstream) -> Iterator[LambdaProcess]:
    with LambdaProcess("tests.e2e.warm_app.handler", env={"UPSTREAM": server.url}) as running:
        yield running


def sync_request(number: int, tenant: str | None) -> tuple[Any, Any]:
    return _request("sync", number, tenant), {"number": number, "tenant": tenant, "current": tenant}


def async_request(number: int, tenant: str | None) -> tuple[Any, Any]:
    return _request("async", number, tenant), {"number": number, "tenant": tenant, "current": tenant}


def _request(kind: str, number: int, tenant: str | None) -> Any:
    return samples.rest("GET", f"/{kind}/{number}", headers={"x-tenant": tenant} if tenant else {})


def jobs(number: int, tenant: str | None) -> tuple[Any, Any]:
    """Messages of three tenants in one batch, each with its own session."""
    owners = (tenant or "nobody", "umbrella", "stark")
    return {"Records": [samples.sqs_record("jobs", owner, session={"tenant": owner}) for owner in owners]}, []


def failing_batch(number: int, tenant: str | None) -> tuple[Any, Any]:
    """Every other message fails, and is the only one to be named."""
    payload = samples.sqs("mixed", [{"number": number, "fails": odd} for odd in (False, True, False, True)])
    return payload, [{"itemIdentifier": payload["Records"][position]["messageId"]} for position in (1, 3)]


def whoami(number: int, tenant: str | None) -> tuple[Any, Any]:
    session = {"tenant": tenant, "user": f"u{number}"} if tenant else None
    return samples.invoke("whoami", session=session), {"tenant": tenant, "user": f"u{number}" if tenant else None}


KINDS: tuple[Callable[[int, str | None], tuple[Any, Any]], ...] = (
    sync_request,
    async_request,
    jobs,
    async_request,
    failing_batch,
    whoami,
)


def answer_in(invocation: Invocation) -> Any:
    """What the answer says, whatever the form of its source."""
    assert invocation.error is None, invocation.error
    result = invocation.result
    if "batchItemFailures" in result:
        return result["batchItemFailures"]
    return json.loads(result["body"]) if "statusCode" in result else result


@pytest.mark.alone
def test_a_thousand_mixed_calls_survive_in_one_process(
    function: LambdaProcess, server: Upstream, capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config
) -> None:
    seconds: dict[str, list[float]] = {}
    wrong = []
    for number in range(CALLS):
        kind = KINDS[number % len(KINDS)]
        payload, expected = kind(number, TENANTS[number % len(TENANTS)])
        invocation = function.invoke(payload)
        seconds.setdefault(kind.__name__, []).append(invocation.duration)
        came = answer_in(invocation)
        if came != expected:
            wrong.append((kind.__name__, number, expected, came))

    assert wrong == []
    assert function.exit_code is None
    assert "still runs at the end" not in function.logs
    # The client of the first async call is the client of all: a second loop could not have used its connection.
    assert (server.connections, server.requests) == (1, len(seconds["async_request"]))

    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    with capsys.disabled():
        shown = ", ".join(f"{name} {median * 1e3:.2f}" for name, median in medians.items())
        pytestconfig.get_terminal_writer().line(f"\n{CALLS} calls in one process; median ms: {shown}")
    assert max(medians.values()) < SLOWEST_MEDIAN_S


def test_a_call_without_a_session_has_none_after_one_that_had(function: LambdaProcess) -> None:
    for path in ("sync", "async"):
        assert answer_in(function.invoke(_request(path, 1, "acme")))["tenant"] == "acme"
        assert answer_in(function.invoke(_request(path, 2, None))) == {"number": 2, "tenant": None, "current": None}


def test_a_call_that_failed_leaves_no_session_behind(function: LambdaProcess) -> None:
    failed = samples.sqs("mixed", ["no JSON"], session={"tenant": "acme"})

    assert len(answer_in(function.invoke(failed))) == 1
    assert answer_in(function.invoke(samples.invoke("whoami"))) == {"tenant": None, "user": None}
