"""`junction plan`: the figures, the words beside them, the chart, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from router.cli import app

HERE = "tests.unit.router.cli.plan_app"
ROOT = Path(__file__).resolve().parents[4]
TRAFFIC = """
assumptions: {init_ms: {one function: 800, "*": 400}, hours: 200, most_calls: 40000}
routes:
  GET /orders/{order_id}: {per_second: 1, p50_ms: 20, p95_ms: 80}
  sqs orders: {per_minute: 6, mean_ms: 100}
  refund: {per_hour: 3, mean_ms: 100}
  schedule nightly: {per_day: 1, p50_ms: 20000, p95_ms: 20000}
"""


@pytest.fixture(autouse=True)
def in_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def run(file: Path, *options: str, stack: str = "stack") -> Result:
    return CliRunner().invoke(app, ["plan", f"{HERE}:{stack}", "--traffic", str(file), *options])


def planned(folder: Path, text: str, *options: str, stack: str = "stack", name: str = "traffic.yaml") -> Result:
    file = folder / name
    file.write_text(text)
    return run(file, *options, stack=stack)


def figures(folder: Path, text: str, *options: str, stack: str = "stack") -> dict[str, Any]:
    result = planned(folder, text, "--json", *options, stack=stack)
    assert result.exit_code == 0, result.output
    made: dict[str, Any] = json.loads(result.stdout)
    return made


def by_name(side: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["function"]: one for one in side["functions"]}


# ---- figures -------------------------------------------------------------------------------------------------------


def test_both_sides_have_the_same_calls_and_their_own_cold_starts(tmp_path: Path) -> None:
    made = figures(tmp_path, TRAFFIC, "--split", "source")
    one, split = made["one"], made["split"]

    calls = (3600 + 360 + 3) * 730 + 730 / 24
    assert one["total"]["calls"] == split["total"]["calls"] == pytest.approx(calls)
    assert set(by_name(split)) == {"http", "sqs", "reports"}
    assert split["total"]["cold_starts"] > one["total"]["cold_starts"] > 0
    assert split["total"]["cold_starts"] == pytest.approx(sum(each["cold_starts"] for each in split["functions"]))
    # Once a day, and an environment that waits for five minutes: always cold, and half of all calls wait so long.
    nightly = by_name(split)["reports"]
    assert (nightly["cold_share"], nightly["wait_p50_ms"], nightly["wait_p99_ms"]) == (1, 400, 400)
    assert (nightly["peak_concurrency"], nightly["simulated"]["calls"]) == (1, pytest.approx(200 / 24, abs=1))


def test_memory_and_architecture_are_those_of_the_stack_and_one_function_has_the_most(tmp_path: Path) -> None:
    made = figures(tmp_path, TRAFFIC)

    assert by_name(made["one"])["one function"]["memory_mb"] == 2048
    assert {name: (one["memory_mb"], one["architecture"]) for name, one in by_name(made["split"]).items()} == {
        "main": (256, "arm64"),
        "reports": (2048, "x86_64"),
    }
    assert made["split"]["total"]["cost"] < made["one"]["total"]["cost"] / 3


def test_the_cost_is_that_of_calls_times_and_starts(tmp_path: Path) -> None:
    made = figures(tmp_path, TRAFFIC)
    nightly = by_name(made["split"])["reports"]
    calls = 730 / 24

    assert nightly["gb_seconds"] == pytest.approx(2 * calls * (20.0 + 0.4))
    assert nightly["cost"] == pytest.approx(nightly["gb_seconds"] * 0.0000166667 + calls * 0.2e-6)


def test_prices_memory_and_init_times_of_the_file_count(tmp_path: Path) -> None:
    text = """
assumptions:
  init_ms: {reports: 1500}
  memory_mb: {reports: 1024, one function: 512}
  prices: {of: 2027-01-31, arm64: 0.001, x86_64: 0.002, requests_per_million: 5}
routes:
  nightly: {per_day: 24, mean_ms: 60000}
  store: {per_day: 24, mean_ms: 500}
"""
    made = figures(tmp_path, text)
    reports = by_name(made["split"])["reports"]

    assert reports["init_ms"] == 1500
    assert reports["cost"] == pytest.approx(1.0 * 730 * (60.0005 + 1.5) * 0.002 + 730 * 5e-6)
    assert by_name(made["one"])["one function"]["memory_mb"] == 512
    assert made["assumptions"]["prices"] == {
        "region": "", "of": "2027-01-31", "arm64": 0.001, "x86_64": 0.002, "requests": 5.0,
    }  # fmt: skip


def test_a_pattern_counts_for_each_route_and_an_exact_name_before_it(tmp_path: Path) -> None:
    text = """
routes:
  "*": {per_hour: 1, mean_ms: 10}
  sqs *: {per_hour: 2, mean_ms: 10}
  sqs orders: {per_hour: 40, mean_ms: 10, batch_size: 10}
"""
    made = figures(tmp_path, text)

    assert {name: round(one["calls_per_second"] * 3600, 6) for name, one in made["routes"].items()} == {
        "GET /orders/{order_id}": 1,
        "sqs orders": 4,
        "sqs refunds": 2,
        "sns orders": 1,
        "schedule nightly": 1,
    }


def test_a_seed_brings_the_same_figures_and_json_may_be_given_too(tmp_path: Path) -> None:
    text = json.dumps({"routes": {"show": {"per_minute": 1, "mean_ms": 20}}, "assumptions": {"seed": 7}})
    first, second = (planned(tmp_path, text, "--json", name="traffic.json").stdout for _ in range(2))
    other = planned(tmp_path, text.replace("7", "8"), "--json", name="traffic.json").stdout

    assert first == second
    assert json.loads(first)["one"]["total"]["cold_starts"] != json.loads(other)["one"]["total"]["cold_starts"]


def test_shares_fall_as_traffic_grows_and_end_where_too_many_calls_were_needed(tmp_path: Path) -> None:
    text = "assumptions: {most_calls: 100000}\nroutes: {show: {per_second: 5, p50_ms: 10, p95_ms: 10}}"
    points = figures(tmp_path, text)["one"]["share_by_traffic"]

    assert [point["factor"] for point in points] == [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100]
    assert points[0]["share"] > points[5]["share"] > 0
    assert [point["share"] for point in points[-2:]] == [0.0, None] or points[-1]["share"] is None


# ---- words ---------------------------------------------------------------------------------------------------------


def test_the_page_has_80_columns_and_says_what_it_takes_for_granted(tmp_path: Path) -> None:
    result = planned(tmp_path, TRAFFIC, "--split", "source")
    page = " ".join(result.stdout.split())

    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "3 functions (split by source) have" in page
    assert "times as many cold starts as one function" in page
    for said in (
        "Poisson",
        "one call at a time",
        "400 ms (others), 800 ms (one function)",
        "dropped after 300 s",
        "256 MB (http, sqs), 2048 MB elsewhere",
        "2026-09-19: 0.0000133334 a GB-second on arm64, 0.0000166667 a GB-second on x86_64, 0.20 a million requests",
        "init time is billed",
        "with the seed 1",
        "about 40,000 calls for each side (most_calls)",
        "Without calls in the file: sns orders.",
    ):
        assert said in page


def test_a_split_of_one_function_says_that_there_is_nothing_to_compare(tmp_path: Path) -> None:
    result = planned(tmp_path, "routes: {show: {per_day: 10, mean_ms: 5}}", "--split", "source")

    assert "All calls are for one function in this split, so there is nothing to compare." in result.stdout
    assert "of the calls wait for a cold start" in result.stdout


def test_limits_of_the_stack_that_do_not_hold_are_told(tmp_path: Path) -> None:
    text = "assumptions: {hours: 20}\nroutes: {store: {per_minute: 60, mean_ms: 2000}}"
    page = " ".join(planned(tmp_path, text, stack="limited").stdout.split())

    assert "calls at a time; it is limited to 1 (reserved=)" in page
    assert "calls of 2 s on average; its timeout of 1 s ends them" in page
    assert "give the time of a restore (SnapStart) as its init_ms" in page


def test_traffic_for_which_the_time_is_too_short_says_so(tmp_path: Path) -> None:
    text = "routes: {show: {per_second: 20000, p50_ms: 80, p95_ms: 80}}"
    page = " ".join(planned(tmp_path, text).stdout.split())

    assert "Simulated are 25 seconds of one function: about 1,000,000 calls for each side (most_calls)" in page
    assert "Too short for environments to expire, so cold starts are fewer still: one function" in page
    assert "calls at a time; a new account has 1,000 in a region" in page


def test_a_route_that_never_came_in_the_time_has_no_share(tmp_path: Path) -> None:
    text = "assumptions: {hours: 1}\nroutes: {show: {per_hour: 40, mean_ms: 5}, refund: {per_day: 0.001, mean_ms: 5}}"
    made = figures(tmp_path, text, "--split", "source")

    assert by_name(made["split"])["sqs"]["cold_share"] is None
    assert "sqs: no call came in the simulated time, so cold starts are not known; raise hours." in made["notes"]
    assert made["split"]["total"]["cold_share"] is not None


def test_a_time_without_any_call_says_nothing_of_cold_starts(tmp_path: Path) -> None:
    rare = "{per_day: 0.02, mean_ms: 5}"
    text = f"assumptions: {{hours: 0.01}}\nroutes: {{show: {rare}, refund: {rare}}}"
    page = planned(tmp_path, text, "--split", "source", name="[red]:smile:.yaml").stdout

    assert "the figures say nothing of cold starts: raise hours." in " ".join(page.split())
    assert ["http", "0.6", "-", "-", "0", "0", "0"] in [line.split()[:7] for line in page.splitlines()]
    assert "[red]:smile:.yaml" in "".join(line.rstrip() for line in page.splitlines()[:3])


# ---- charts --------------------------------------------------------------------------------------------------------


def test_charts_of_each_form(tmp_path: Path) -> None:
    starts = {".svg": b"<?xml", ".png": b"\x89PNG", ".html": b"<!doctype html>"}
    for ending, start in starts.items():
        file = tmp_path / f"chart{ending}"
        result = planned(tmp_path, TRAFFIC, "--split", "source", "--chart", str(file))
        assert result.exit_code == 0, result.output
        assert file.read_bytes().startswith(start)

    svg = (tmp_path / "chart.svg").read_text()
    assert "3 functions, split by source" in svg
    page = (tmp_path / "chart.html").read_text()
    assert svg[svg.index("<svg") :] in page
    assert "times as many cold starts as one function" in page
    assert "Poisson" in page


def test_a_chart_that_cannot_be_drawn_is_refused_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file, why in (
        ("chart.pdf", "its name has to end in .svg, .png, .html"),
        (str(tmp_path / "none" / "chart.svg"), "there is no folder"),
    ):
        result = planned(tmp_path, TRAFFIC, "--chart", file)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"--chart {file}" in result.stderr
        assert why in result.stderr

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = planned(tmp_path, TRAFFIC, "--chart", str(tmp_path / "chart.svg"))
    assert result.exit_code == 2
    assert 'charts need matplotlib: pip install "lambda-junction[charts]"' in result.stderr


# ---- bad input -----------------------------------------------------------------------------------------------------


ONE_ROUTE = "routes: {show: {per_day: 1, mean_ms: 5}}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("routes:\n  GET /orders/{id}: {per_day: 1, mean_ms: 5}",
         "routes.GET /orders/{id}: there is no such route; did you mean GET /orders/{order_id}"),
        ("routes: {kinesis clicks: {per_day: 1, mean_ms: 5}}",
         "routes.kinesis clicks: there is no such route; there is GET /orders/{order_id}, sqs orders, "),
        ("routes: {orders: {per_day: 1, mean_ms: 5}}",
         "routes.orders: several routes are called so; write sqs orders or sns orders"),
        ("routes: {store: {per_day: 1, mean_ms: 5}, sqs orders: {per_day: 1, mean_ms: 5}}",
         "routes.sqs orders: sqs orders has figures already, under 'store'"),
        ('routes: {"sqs *": {per_day: 1, mean_ms: 5}, "*ders": {per_day: 1, mean_ms: 5}}',
         "routes.*ders: it fits the same routes as 'sqs *'; make one of them longer"),
        ("routes: {task export: {per_day: 1, mean_ms: 5}}",
         "routes.task export: a task runs on ECS, not in a function: leave it out"),
        ("routes: {show: {per_day: -1, mean_ms: 5}}",
         "routes.show.per_day: it takes a number from 0 to 86,400,000,000, not -1"),
        ("routes: {show: {per_second: 1e12, mean_ms: 5}}",
         "routes.show.per_second: it takes a number from 0 to 1,000,000,"),
        ("routes: {show: {per_second: .nan, mean_ms: 5}}", "routes.show.per_second: it takes a number from 0 to"),
        ("routes: {show: {per_second: .inf, mean_ms: 5}}", "routes.show.per_second: it takes a number from 0 to"),
        ("routes: {show: {per_second: true, mean_ms: 5}}", "not True"),
        ("routes: {show: {per_second: ten, mean_ms: 5}}", "not 'ten'"),
        ("routes: {show: {per_second: [1], mean_ms: 5}}", "not a list"),
        ("routes: {show: {mean_ms: 5}}", "routes.show: say how often, with one of per_second, per_minute"),
        ("routes: {show: {per_day: 1, per_hour: 1, mean_ms: 5}}", "routes.show: say how often, with one of"),
        ("routes: {show: {per_day: 1}}",
         "routes.show: say how long a call takes, with mean_ms, or with p50_ms and p95_ms"),
        ("routes: {show: {per_day: 1, mean_ms: 5, p95_ms: 9}}", "routes.show: say how long a call takes"),
        ("routes: {show: {per_day: 1, p50_ms: 50, p95_ms: 9}}", "routes.show.p95_ms: it is less than p50_ms: 9 < 50"),
        ("routes: {show: {per_day: 1, p50_ms: 1, p95_ms: 900000}}",
         "routes.show.p95_ms: with p50_ms it makes 1.22e+12 s on average; a function has 1,800 s"),
        ("routes: {show: {per_day: 1.0e-300, mean_ms: 5, arrivals: even}}",
         "routes.show.per_day: it is less than an event in 30 years: 1e-300; use 0 for none"),
        ("routes: {show: {per_day: 1, mean_ms: 0}}",
         "routes.show.mean_ms: it takes milliseconds from 0.001 to 1,800,000"),
        ("routes: {show: {per_day: 1, mean_ms: 5, batch_size: 0.5}}",
         "routes.show.batch_size: it takes a whole number of events from 1 to 10,000, not 0.5"),
        ("routes: {show: {per_day: 1, mean_ms: 5, arrivals: evn}}",
         "routes.show.arrivals: it takes poisson, even, not 'evn'; did you mean even?"),
        ("routes: {show: {per_day: 1, mean-ms: 5}}",
         "routes.show.mean-ms: there is no such key; did you mean mean_ms?"),
        ("routes: {show: 5}", "traffic.yaml: routes.show: it takes keys with values, not 5"),
        ("routes: [show]", "routes: it takes keys with values, not a list"),
        ("routes: {show: {per_day: 0, mean_ms: 5}}", "no route is ever called"),
        ("routes: {}", "routes: say how often at least one route is called"),
        ("", "routes: say how often at least one route is called"),
        ("- 1", "the file: it takes keys with values, not a list"),
        ("rotes: {}", "rotes: there is no such key; did you mean routes?"),
        (ONE_ROUTE + "assumptions: {idle_timeout_s: 0}",
         "assumptions.idle_timeout_s: it takes seconds from 1 to 86,400"),
        (ONE_ROUTE + "assumptions: {hours: 1e9}", "assumptions.hours: it takes hours from 0.01 to 8,760"),
        (ONE_ROUTE + "assumptions: {seed: x}", "assumptions.seed: it takes a whole number"),
        (ONE_ROUTE + "assumptions: {init_ms: -1}",
         "assumptions.init_ms: it takes milliseconds from 0 to 1,800,000, not -1"),
        (ONE_ROUTE + "assumptions: {init_ms: {http: .nan}}", "assumptions.init_ms.http: it takes milliseconds"),
        (ONE_ROUTE + "assumptions: {init_ms: {reprots: 1}}",
         "assumptions.init_ms.reprots: there is no such key; did you mean reports"),
        (ONE_ROUTE + "assumptions: {memory_mb: 64}", "assumptions.memory_mb: it takes MB from 128 to 10,240, not 64"),
        (ONE_ROUTE + "assumptions: {prices: {region: eu-west-9}}",
         "assumptions.prices.region: it takes"),
        (ONE_ROUTE + "assumptions: {prices: {region: il-central-1}}", "there is no price for arm64 in il-central-1"),
        (ONE_ROUTE + "assumptions: {prices: {arm64: 1}}", "assumptions.prices.of: say of which day these prices are"),
        (ONE_ROUTE + "assumptions: {prices: {of: soon}}", "assumptions.prices.of: it takes a day such as 2026-11-30"),
        ("routes: {show: {per_day: 1, mean_ms: 5}, show: {}}", "it cannot be read: while constructing a mapping"),
        ("routes: {show", "it cannot be read: "),
        ("a: !!python/object:os.system {}", "it cannot be read: "),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_names_the_key(tmp_path: Path, text: str, said: str) -> None:
    result = planned(tmp_path, text)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {tmp_path / 'traffic.yaml'}:")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = "assumptions: {hours: -1}\nroutes: {sho: {per_day: 1, mean_ms: 5}, refund: {per_day: -1, mean_ms: -1}}"
    first, *others = planned(tmp_path, text).stderr.splitlines()

    assert first == f"error: {tmp_path / 'traffic.yaml'}:"
    assert [line.split(": ")[0] for line in others] == [
        "- assumptions.hours", "- routes.sho", "- routes.refund.per_day", "- routes.refund.mean_ms",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"routes": {"show": {"per_day": NaN, "mean_ms": 5}}}', "routes.show.per_day: it takes a number"),
        ('{"routes": {}, "routes": {}}', "the key 'routes' stands there twice"),
        ("{" * 100_000, "it cannot be read"),
        ("[" * 100_000, "it cannot be read"),
    ],
)
def test_json_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    result = planned(tmp_path, text, name="traffic.json")

    assert result.exit_code == 2
    assert said in result.stderr


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "large.yaml").write_text("#" * 1_000_001)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")

    for name, said in (
        ("none.yaml", "No such file"),
        ("", "s a directory"),
        ("large.yaml", "it is larger than 1,000,000 bytes"),
        ("binary.yaml", "utf-8"),
        ("/dev/zero", "it is larger than 1,000,000 bytes"),
    ):
        result = run(tmp_path / name)
        assert result.exit_code == 2
        assert str(tmp_path / name) in result.stderr
        assert said in result.stderr


def test_yaml_without_what_reads_it_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)

    result = planned(tmp_path, ONE_ROUTE)

    assert result.exit_code == 2
    assert 'YAML needs ruamel.yaml: pip install "lambda-junction[deploy]"' in result.stderr


def test_wrong_arguments(tmp_path: Path) -> None:
    assert "use one of function, group, source, route" in planned(tmp_path, ONE_ROUTE, "--split", "tag").stderr
    told = planned(tmp_path, ONE_ROUTE, stack="broken").stderr
    assert "plan_broken_app cannot be imported: KeyError: 'SURELY_NOT_SET'" in told
    assert "Traceback" not in told
    assert "neither a Stack nor a Resolver" in planned(tmp_path, ONE_ROUTE, stack="MAIN").stderr
