"""What the application's process is told: stacks, variables, secrets; what it tells of AWS; and who waits for whom."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from router.local.calls import Call, Origin
from router.middleware.recording.form import read_all
from tests.integration.local.supervised import run, supervised

APP = """
    import os
    from router import Resolver

    resolver = Resolver()
    AT_IMPORT = os.environ.get("ORDERS_TABLE")

    @resolver.on_invoke("show")
    def show(event):
        context = event.context
        return {
            "at import": AT_IMPORT,
            "now": {name: os.environ.get(name) for name in ("ORDERS_TABLE", "MADE", "GIVEN", "AWS_ENDPOINT_URL")},
            "function": [context.function_name, context.memory_limit_in_mb, context.invoked_function_arn],
        }

    @resolver.on_invoke("report", function="reports")
    def report(event):
        return event.context.function_name
"""

STACK = """
    from router.contract import Function, Stack, Table

    stack = Stack(
        "app:resolver",
        Function(timeout=7, memory=256),
        Function("reports", timeout=2),
        Table("orders", variable="ORDERS_TABLE"),
        name="shop",
    )
"""


def write(folder: Path) -> None:
    from textwrap import dedent

    (folder / "infra.py").write_text(dedent(STACK))


def test_variables_of_a_stack_are_there_before_its_application_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORDERS_TABLE", raising=False)  # of another test; who sets it by hand is believed
    plans: list[dict[str, Any]] = []

    async def prepare(plan: dict[str, Any]) -> Mapping[str, str]:
        plans.append(plan)
        return {"MADE": "yes", "GIVEN": "by prepare"}

    async def check() -> None:
        write(tmp_path)
        async with supervised(
            tmp_path,
            APP,
            application="infra:stack",
            environment={"GIVEN": "by hand"},
            prepare_with=prepare,
            aws={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        ) as bench:
            answer = (await bench.supervisor.invoke(Call({"action": "show"}, "invoke"))).answer
            table = answer["at import"]
            assert table
            assert answer["now"] == {
                "ORDERS_TABLE": table,
                "MADE": "yes",
                "GIVEN": "by hand",
                "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            }
            name, memory, arn = answer["function"]
            assert (memory, arn) == ("256", f"arn:aws:lambda:us-east-1:000000000000:function:{name}")
            assert [plan["stack"] for plan in plans] == ["shop"]
            assert bench.supervisor.variables["ORDERS_TABLE"] == table

    run(check())


def test_tasks_have_the_variables_of_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORDERS_TABLE", raising=False)  # of another test; who sets it by hand is believed
    app = (
        APP
        + """
    @resolver.on_task("nightly")
    def nightly(event):
        print("the table is", os.environ["ORDERS_TABLE"])
    """
    )

    async def check() -> None:
        write(tmp_path)
        async with supervised(tmp_path, app, application="infra:stack") as bench:
            assert await bench.supervisor.run_task("nightly") == 0
            [entry] = [one for one in bench.journal.entries if one["kind"] == "task"]
            table = bench.supervisor.variables["ORDERS_TABLE"]
            assert f"the table is {table}" in [one["message"] for one in entry["logs"]]

    run(check())


def test_functions_have_their_own_names_and_limits(tmp_path: Path) -> None:
    async def check() -> None:
        write(tmp_path)
        async with supervised(tmp_path, APP, application="infra:stack") as bench:
            main = (await bench.supervisor.invoke(Call({"action": "show"}, "invoke"))).answer["function"][0]
            call = Call({"action": "report"}, "invoke", function="reports")
            reports = (await bench.supervisor.invoke(call)).answer
            assert main != reports
            assert "reports" in reports

    run(check())


def test_function_times_out_after_its_own_limit(tmp_path: Path) -> None:
    app = APP + "\n    import time\n    resolver.on_invoke('sleep', function='reports')(lambda event: time.sleep(60))\n"

    async def check() -> None:
        write(tmp_path)
        async with supervised(tmp_path, app, application="infra:stack") as bench:
            outcome = await bench.supervisor.invoke(Call({"action": "sleep"}, "invoke", function="reports"))
            assert outcome.error is not None
            assert outcome.error["errorMessage"].endswith("Task timed out after 2.00 seconds")

    run(check())


def test_aws_that_cannot_be_prepared_is_told_and_the_next_save_tries_again(tmp_path: Path) -> None:
    fails = True

    async def prepare(plan: dict[str, Any]) -> Mapping[str, str]:
        if fails:
            raise ConnectionError("the emulator is gone")
        return {}

    async def check() -> None:
        nonlocal fails
        async with supervised(tmp_path, APP, prepare_with=prepare) as bench:
            state = bench.supervisor.state
            assert (state["state"], state["error"]["message"]) == ("broken", "the emulator is gone")
            assert any("AWS cannot be prepared" in note for note in state["error"]["notes"])
            fails = False
            bench.write(APP)
            await bench.until("ready")

    run(check())


def test_secret_that_nobody_gave_is_made_up_and_stays_over_a_reload(tmp_path: Path) -> None:
    app = """
    import os
    from router import Resolver

    resolver = Resolver()
    SECRET = os.environ["SHOP_SESSION_SECRET"]

    @resolver.on_invoke("secret")
    def secret(event):
        return SECRET
    """

    async def check() -> None:
        async with supervised(tmp_path, app, names={"seed": "of this run"}) as bench:
            first = (await bench.supervisor.invoke(Call({"action": "secret"}, "invoke"))).answer
            assert len(first) == 64
            assert any("SHOP_SESSION_SECRET has a random value" in text for text in bench.journal.notices)
            bench.write(app)
            await bench.reloaded(1)
            assert (await bench.supervisor.invoke(Call({"action": "secret"}, "invoke"))).answer == first

    run(check())


def test_two_calls_wait_for_one_process_and_one_gives_up_without_harm(tmp_path: Path) -> None:
    app = """
    import os, time
    from router import Resolver

    resolver = Resolver()

    @resolver.on_invoke("wait")
    def wait(event):
        while not os.path.exists("go"):
            time.sleep(0.01)
        return "done"
    """

    async def check() -> None:
        async with supervised(tmp_path, app, threads=1) as bench:
            first = asyncio.create_task(bench.supervisor.invoke(Call({"action": "wait"}, "invoke")))
            await bench.journal.until(lambda: bench.journal.begun)
            second = asyncio.create_task(bench.supervisor.invoke(Call({"action": "wait"}, "invoke", timeout=0.1)))
            third = asyncio.create_task(bench.supervisor.invoke(Call({"action": "wait"}, "invoke")))
            assert (await second).error == {
                "errorType": "TooManyRequestsException",
                "errorMessage": "1 calls are under way",
            }
            fourth = asyncio.create_task(bench.supervisor.invoke(Call({"action": "wait"}, "invoke")))
            await asyncio.sleep(0)
            third.cancel()
            (tmp_path / "go").touch()
            assert (await first).answer == "done"
            assert (await fourth).answer == "done"

    run(check())


RECORDED = """
    from router import Recorder, Resolver

    resolver = Resolver().use(Recorder("kept", redact=["plate"]))
    resolver.on_invoke("x")(lambda: "done")
"""


def test_a_recorder_leaves_replays_alone_and_tells_no_rule_at_each_save(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def check() -> None:
        async with supervised(tmp_path, RECORDED) as bench:
            origins: tuple[Origin, ...] = ("invoke", "replay", "console")
            for origin in origins:
                outcome = await bench.supervisor.invoke(Call({"action": "x", "from": origin}, origin))
                assert outcome.answer == "done"

    run(check())
    assert {one.payload["from"] for one in read_all(tmp_path / "kept")} == {"invoke", "console"}
    assert "matched nothing" not in capfd.readouterr().err
