"""What a check finds in a template, in routes and in handlers, and that it finds nothing where nothing is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from router import Resolver
from router.cli import app
from router.contract import Stack, merging, yaml_text
from router.contract.checking import RULES, Finding
from router.contract.checking.blocking import blocking
from router.contract.checking.deployed import Template
from router.contract.checking.globs import may_equal
from router.contract.checking.routes import alike, misnamed, unreachable
from router.contract.checking.template import check_template, functions_of_application
from router.contract.sam import template as exported
from router.environment.usage import Call, write_calls
from tests.unit.router.contract import checked, split_app
from tests.unit.router.contract.templates import changed, rules
from tests.unit.router.contract.test_sam import DECLARED, SHOP

HERE = "tests.unit.router.contract.checked"
SPLIT = "tests.unit.router.contract.split_app"
ROOT = Path(__file__).resolve().parents[4]

RIGHT = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Timeout: 10
    Environment:
      Variables:
        TABLE: !Ref Orders
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: orders
  OrdersQueue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: orders
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 65
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Dead:
    Type: AWS::SQS::Queue
  Mails:
    Type: AWS::SQS::Queue
  Alerts:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: alerts
  Shop:
    Type: AWS::Serverless::Function
    Properties:
      Handler: tests.unit.router.contract.checked.handler
      Environment:
        Variables:
          JOBS: !GetAtt Jobs.QueueName
          MAILS: !Ref Mails
      Policies:
        - Statement:
            - Effect: Allow
              Action: dynamodb:PutItem
              Resource: !GetAtt Orders.Arn
        - SQSSendMessagePolicy:
            QueueName: !GetAtt Mails.QueueName
      Events:
        Orders:
          Type: SQS
          Properties:
            Queue: !GetAtt OrdersQueue.Arn
            FunctionResponseTypes: [ReportBatchItemFailures]
        Alerts:
          Type: SNS
          Properties:
            Topic: !Ref Alerts
        Nightly:
          Type: Schedule
          Properties:
            Name: nightly
            Schedule: rate(1 day)
  JobsMapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Shop
      EventSourceArn: !GetAtt Jobs.Arn
      MaximumBatchingWindowInSeconds: 5
      FunctionResponseTypes: [ReportBatchItemFailures]
"""

Check = Callable[..., list[Finding]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    def found(*changes: tuple[str, str], calls: list[Call] | None = None) -> list[Finding]:
        held = changed(tmp_path, RIGHT, *changes)
        functions = functions_of_application(held, f"{HERE}:resolver")
        return list(check_template(held, functions, checked.resolver, calls or []))

    return found


def line_of(found: Finding, text: str = RIGHT) -> str:
    assert found.place is not None
    return text.splitlines()[found.place.line - 1].strip()


class TestTemplate:
    def test_in_order(self, check: Check) -> None:
        assert check() == []

    @pytest.mark.parametrize("split", ["function", "source", "group"])
    def test_what_is_exported_has_no_faults(self, split: str, tmp_path: Path) -> None:
        stack = Stack(SHOP, *DECLARED, name="shop")
        file = tmp_path / "template.yaml"
        file.write_text(yaml_text.write(merging.marked(exported(stack.infrastructure(split)))))
        held = Template(file)
        functions = functions_of_application(held, SHOP, stack.handler)
        assert list(check_template(held, functions, stack.load())) == []

    @pytest.mark.parametrize(
        "place", ["Queue: !GetAtt OrdersQueue.Arn\n            ", "MaximumBatchingWindowInSeconds: 5\n      "]
    )
    def test_without_partial_responses_failures_are_lost(self, check: Check, place: str) -> None:
        line = f"{place}FunctionResponseTypes: [ReportBatchItemFailures]"
        [found] = check((line, place.strip()))
        assert found.rule == "partial-responses"
        assert "loses what failed" in found.text
        assert line_of(found) in ("Orders:", "JobsMapping:")

    def test_visibility_below_six_timeouts(self, check: Check) -> None:
        [found] = check(("VisibilityTimeout: 60", "VisibilityTimeout: 59"))
        assert (found.rule, line_of(found)) == ("visibility", "OrdersQueue:")
        assert "hides a message for 59 s, and six times the 10 s of Shop are 60 s" in found.text

    def test_the_window_counts(self, check: Check) -> None:
        [found] = check(("VisibilityTimeout: 65", "VisibilityTimeout: 64"))
        assert "and the window of 5 s are 65 s" in found.text

    def test_visibility_by_default_is_thirty_seconds(self, check: Check) -> None:
        [found] = check(("      VisibilityTimeout: 60\n", ""))
        assert "for 30 s" in found.text

    def test_a_timeout_that_a_parameter_tells(self, check: Check) -> None:
        parameters = "Parameters:\n  Seconds: {Type: Number, Default: 20}\nGlobals:"
        assert rules(check(("Globals:", parameters), ("Timeout: 10", "Timeout: !Ref Seconds"))) == ["visibility"] * 2
        unknown = "Parameters:\n  Seconds: {Type: Number}\nGlobals:"
        assert check(("Globals:", unknown), ("Timeout: 10", "Timeout: !Ref Seconds")) == []

    def test_no_queue_for_what_fails(self, check: Check) -> None:
        [found] = check(("      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}\n", ""))
        assert (found.rule, found.level, line_of(found)) == ("dead-letter", "warning", "OrdersQueue:")

    def test_tenant_isolation_forbids_mappings(self, check: Check) -> None:
        handler = "Handler: tests.unit.router.contract.checked.handler"
        isolated = f"{handler}\n      TenancyConfig: {{TenantIsolationMode: PER_TENANT}}"
        found = check((handler, isolated))
        assert rules(found) == ["tenant-isolation"] * 2

    def test_filters_that_lose_messages(self, check: Check) -> None:
        held = """FilterCriteria: {Filters: [{Pattern: '{"body": {"a": [1]}}'}]}"""
        filters = f"Queue: !GetAtt OrdersQueue.Arn\n            {held}"
        [found] = check(("Queue: !GetAtt OrdersQueue.Arn", filters))
        assert (found.rule, line_of(found)) == ("filters", "Orders:")
        assert "sqs orders takes everything, and Lambda deletes what the filters decline" in found.text

    def test_a_name_that_nothing_delivers(self, check: Check) -> None:
        found = check(("Name: nightly", "Name: daily"))
        assert rules(found) == ["no-route", "no-trigger"]
        assert "events of daily (schedule), which no route takes" in found[0].text
        assert "there is daily" in found[1].text
        assert found[1].place is not None
        assert found[1].place.file == "tests/unit/router/contract/checked.py"

    def test_a_queue_that_the_environment_names(self, check: Check) -> None:
        found = check(("JOBS: !GetAtt Jobs.QueueName", "JOBS: !GetAtt Dead.QueueName"))
        assert rules(found) == ["no-route", "no-trigger"]

    def test_a_variable_that_is_not_set(self, check: Check) -> None:
        [found] = check(("          MAILS: !Ref Mails\n", ""))
        assert found.rule == "variables"
        assert re.fullmatch(r"sqs orders: it wants MAILS, which Shop of \S+ does not set", found.text)

    def test_an_operation_that_nothing_allows(self, check: Check) -> None:
        found = check(("Action: dynamodb:PutItem", "Action: dynamodb:GetItem"))
        assert rules(found) == ["permissions", "unused-permission"]
        assert "it needs dynamodb:PutItem on TABLE, and no policy of Shop allows it" in found[0].text
        assert "dynamodb:GetItem" in found[1].text

    def test_an_operation_on_another_resource(self, check: Check) -> None:
        other = "Resource: arn:aws:dynamodb:eu-west-1:123456789012:table/prices"
        assert rules(check(("Resource: !GetAtt Orders.Arn", other))) == ["permissions", "unused-permission"]
        same = "Resource: arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
        assert check(("Resource: !GetAtt Orders.Arn", same)) == []

    def test_a_wildcard_allows(self, check: Check) -> None:
        assert check(("Action: dynamodb:PutItem", "Action: [dynamodb:Put*]")) == []

    def test_a_call_of_a_test_that_nothing_allows(self, check: Check) -> None:
        made = Call("sns alerts", "s3:GetObject", "reports", ())
        [found] = check(calls=[made])
        assert found.text == "sns alerts: it calls s3:GetObject on reports, and no policy of Shop allows it"

    def test_a_policy_that_the_file_does_not_hold(self, check: Check) -> None:
        [found] = check(
            (
                "        - SQSSendMessagePolicy:\n",
                "        - arn:aws:iam::123456789012:policy/shop\n        - SQSSendMessagePolicy:\n",
            )
        )
        assert (found.rule, found.level) == ("policies", "warning")

    def test_a_role_of_its_own_must_let_lambda_poll(self, check: Check) -> None:
        role = """\
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: own
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: "dynamodb:PutItem", Resource: !GetAtt Orders.Arn}
              - {Effect: Allow, Action: "sqs:SendMessage", Resource: !GetAtt Mails.Arn}
  Shop:
"""
        policies = RIGHT[RIGHT.index("      Policies:") : RIGHT.index("      Events:")]
        found = check(("  Shop:\n", role), (policies, "      Role: !GetAtt Role.Arn\n"))
        assert set(rules(found)) == {"permissions"}
        assert any("JobsMapping: Lambda needs sqs:ReceiveMessage" in one.text for one in found)

    def test_a_route_that_no_function_serves(self, check: Check) -> None:
        told = "JOBS: !GetAtt Jobs.QueueName\n          JUNCTION_FUNCTION: sqs\n          JUNCTION_SPLIT: source"
        found = check(("JOBS: !GetAtt Jobs.QueueName", told))
        left = [one.text.partition(":")[0] for one in found if one.rule == "no-function"]
        assert left == ["sns alerts", "schedule nightly"]

    @pytest.mark.parametrize(
        ("events", "told"),
        [
            ("", "nothing brings events of http"),
            ("Api: {Type: HttpApi, Properties: {Path: /orders, Method: get}}", "there is GET /orders"),
            ("Api: {Type: HttpApi, Properties: {Path: '/orders/{id}', Method: post}}", "there is POST /orders/*"),
            ("Api: {Type: HttpApi, Properties: {Path: '/orders/{id}', Method: get}}", ""),
            ("Api: {Type: Api, Properties: {Path: '/{proxy+}', Method: any}}", ""),
            ("Api: {Type: HttpApi}", ""),
        ],
    )
    def test_a_request_that_nothing_brings(self, tmp_path: Path, events: str, told: str) -> None:
        file = tmp_path / "template.yaml"
        file.write_text(
            "Resources:\n  Shop:\n    Type: AWS::Serverless::Function\n    Properties:\n"
            f"      Handler: shop.handler\n      Events: {{{events}}}\n"
        )
        resolver = Resolver()
        resolver.get("/orders/{order_id}", requires={})(checked.own.fetch)
        held = Template(file)
        found = [one.text for one in check_template(held, held.functions, resolver)]
        assert len(found) == bool(told)
        assert all(one.endswith(told) for one in found)

    def test_a_url_of_its_own_brings_what_events_of_sam_do_not(self, tmp_path: Path) -> None:
        file = tmp_path / "template.yaml"
        text = (
            "Resources:\n  Shop:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: shop.handler\n"
            "      Events: {Api: {Type: HttpApi, Properties: {Path: /health, Method: get}}}\n"
        )
        resolver = Resolver()
        resolver.get("/orders", requires={})(checked.own.fetch)
        url = "  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref Shop}}\n"
        for further, expected in (("", ["no-trigger"]), (url, [])):
            file.write_text(text + further)
            held = Template(file)
            assert rules(list(check_template(held, held.functions, resolver))) == expected

    def test_every_value_of_json_has_its_line(self, tmp_path: Path) -> None:
        stack = Stack(SHOP, *DECLARED, name="shop")
        made = exported(stack.infrastructure())
        for one in made["Resources"].values():
            one["Properties"].pop("FunctionResponseTypes", None)
        file = tmp_path / "template.json"
        file.write_text(json.dumps(made, indent=2))
        held = Template(file)
        found = list(check_template(held, functions_of_application(held, SHOP, stack.handler), stack.load()))
        assert {one.rule for one in found} == {"partial-responses"}
        for one in found:
            assert line_of(one, file.read_text()).endswith('Mapping": {')


class TestExports:
    """What an export writes has no finding, and each part that is taken out of it has one."""

    @pytest.fixture
    def split(self) -> dict[str, Any]:
        return exported(Stack(f"{SPLIT}:resolver", name="shop").infrastructure())

    @staticmethod
    def found(made: dict[str, Any], tmp_path: Path, *without: str) -> list[Finding]:
        kept = {name: one for name, one in made["Resources"].items() if name not in without}
        assert len(kept) == len(made["Resources"]) - len(without)
        file = tmp_path / "template.yaml"
        file.write_text(yaml_text.write({**made, "Resources": kept}))
        held = Template(file)
        functions = functions_of_application(held, f"{SPLIT}:resolver")
        return list(check_template(held, functions, split_app.resolver))

    def test_as_it_is(self, split: dict[str, Any], tmp_path: Path) -> None:
        assert self.found(split, tmp_path) == []

    def test_without_the_route_to_a_function(self, split: dict[str, Any], tmp_path: Path) -> None:
        [gone] = [
            name
            for name, one in split["Resources"].items()
            if "/reports/" in str(one["Properties"].get("RouteKey", ""))
        ]
        [found] = self.found(split, tmp_path, gone)
        assert (found.rule, found.text.partition(":")[0]) == ("no-trigger", "GET /reports/{month}")
        assert "has no trigger for it in ReportsFunction" in found.text

    def test_without_the_right_to_hand_on_what_failed(self, split: dict[str, Any], tmp_path: Path) -> None:
        held = json.loads(json.dumps(split))
        statements = held["Resources"]["MainPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        statements[:] = [one for one in statements if one["Action"] != ["sqs:SendMessage"]]
        [found] = self.found(held, tmp_path)
        assert found.rule == "permissions"
        assert "lets events go where they belong after a call" in found.text

    def test_a_handler_that_its_module_does_not_have(self, split: dict[str, Any], tmp_path: Path) -> None:
        held = json.loads(json.dumps(split))
        held["Resources"]["MainFunction"]["Properties"]["Handler"] = f"{SPLIT}.handlr"
        [found] = self.found(held, tmp_path)
        assert (found.rule, found.text.endswith("has no handlr to call")) == ("handler", True)


def test_a_function_without_a_role_may_do_what_sam_adds(check: Check) -> None:
    names = [
        (
            f"  {name}:\n    Type: AWS::SQS::Queue\n",
            f"  {name}:\n    Type: AWS::SQS::Queue\n    Properties: {{QueueName: {name}}}\n",
        )
        for name in ("Dead", "Mails")
    ]
    failed = "EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}}"
    failing = ("Events:\n", f"{failed}\n      Events:\n")
    assert check(failing, *names) == []
    other = ("        - SQSSendMessagePolicy:\n            QueueName: !GetAtt Mails.QueueName\n", "")
    assert rules(check(failing, other, *names)) == ["permissions"]


class TestRoutes:
    def test_that_never_get_an_event(self) -> None:
        found = list(unreachable(checked.shadowed.routes))
        assert [one.text.split(":")[0] for one in found] == ["s3 uploads", "sqs jobs"]
        places = [one.place.line for one in found if one.place]
        source = Path(checked.__file__).read_text().splitlines()
        assert [source[line] for line in places] == [
            "def never(event: Event) -> None: ...",
            "def never_either(event: Event) -> None: ...",
        ]

    @pytest.mark.parametrize(
        ("first", "second", "hidden"),
        [
            ({"pattern": {"body": {"n": [1]}}}, {"pattern": {"body": {"n": [True]}}}, False),
            ({"pattern": {"body": {"n": [1]}}}, {"pattern": {"body": {"n": [1], "m": [2]}}}, True),
            ({"function": "a", "pattern": {"body": {"n": [1]}}}, {"pattern": {"body": {"n": [1], "m": [2]}}}, False),
            (
                {"pattern": {"$or": [{"body": {"n": [1]}}, {"body": {"m": [1]}}]}},
                {"pattern": {"body": {"n": [1]}}},
                False,
            ),
        ],
    )
    def test_what_an_earlier_route_leaves(self, first: Any, second: Any, hidden: bool) -> None:
        resolver = Resolver()
        resolver.on_queue("q", requires={}, **first)(checked.order)
        resolver.on_queue("q", requires={}, **second)(checked.job)
        assert len(list(unreachable(resolver.routes))) == hidden

    def test_a_route_for_all_changes_takes_those_of_one_kind(self) -> None:
        resolver = Resolver()
        resolver.on_stream("t", requires={}, pattern={"new": {"a": ["x"]}})(checked.order)
        resolver.on_stream("t", requires={}, pattern={"new": {"a": ["x"]}}, events=["INSERT"])(checked.job)
        assert len(list(unreachable(resolver.routes))) == 1

    def test_of_one_name_by_the_environment(self) -> None:
        assert list(alike(checked.alike.routes, {"FIRST": "a", "SECOND": "b"})) == []
        [found] = alike(checked.alike.routes, {"FIRST": "a", "SECOND": "a"})
        assert found.rule == "conflict"
        assert "it takes 'a' here, and so does" in found.text

    def test_handlers_that_block(self) -> None:
        found = list(blocking(checked.blocking.routes))
        source = Path(checked.__file__).read_text().splitlines()
        assert sorted(
            (source[one.place.line - 1].strip(), one.text.rpartition(": write ")[2]) for one in found if one.place
        ) == [
            (
                'client.get_object(Bucket="a", Key="b")',
                "asyncio.to_thread(...), or an adapter",
            ),
            ("clock.sleep(1)  # noqa: ASYNC251", "await asyncio.sleep(...)"),
            ("pause(1)", "await asyncio.sleep(...)"),
            ('sqs.send("mails", event.json())', "await sqs.send_async(...)"),
            ('subprocess.run(["true"], check=True)', "asyncio.create_subprocess_exec(...)"),
            ("time.sleep(1)  # noqa: ASYNC251", "await asyncio.sleep(...)"),
        ]


@pytest.mark.parametrize(
    ("one", "other", "met"),
    [
        ("orders", "orders", True),
        ("orders", "order", False),
        ("order*", "orders", True),
        ("*-dead", "orders-*", True),
        ("a*b", "c*", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("arn:*:sqs:*:*:orders", "arn:aws:sqs:eu-west-1:1:orders", True),
        ("arn:*:sqs:*:*:orders", "arn:aws:sqs:eu-west-1:1:orders-dead", False),
        ("arn:*:s3:::a/*", "arn:aws:s3:::a/b/c", True),
    ],
)
def test_names_with_unknown_parts(one: str, other: str, met: bool) -> None:
    assert may_equal(one, other) is met
    assert may_equal(other, one) is met


class TestCommand:
    @pytest.fixture(autouse=True)
    def here(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.chdir(ROOT)
        monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
        self.file = tmp_path / "template.yaml"

    def run(self, text: str, *arguments: str, name: str = "resolver") -> Any:
        self.file.write_text(text)
        return CliRunner().invoke(app, ["check", f"{HERE}:{name}", "--template", str(self.file), *arguments])

    def test_in_order(self) -> None:
        result = self.run(RIGHT)
        assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "no faults")
        assert re.search(r"MAILS +│ template", result.stdout)

    def test_a_fault_has_its_line_and_its_rule(self) -> None:
        result = self.run(RIGHT.replace("VisibilityTimeout: 60", "VisibilityTimeout: 59"))
        assert result.exit_code == 1
        assert "1 fault:" in result.stdout
        assert f"({self.file}:13) [visibility]" in result.stdout

    def test_a_rule_that_does_not_count(self) -> None:
        text = RIGHT.replace("VisibilityTimeout: 60", "VisibilityTimeout: 59")
        assert self.run(text, "--ignore", "visibility").exit_code == 0

    def test_a_rule_that_is_none(self) -> None:
        result = self.run(RIGHT, "--ignore", "visiblity")
        assert result.exit_code == 2
        assert "--ignore 'visiblity'" in result.stderr
        assert "visibility" in result.stderr

    def test_warnings_count_when_asked(self) -> None:
        text = RIGHT.replace(
            "      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}\n", "", 1
        )
        assert (first := self.run(text)).exit_code == 0
        assert "1 warning:" in first.stdout
        assert self.run(text, "--strict").exit_code == 1

    def test_json(self) -> None:
        result = self.run(RIGHT.replace("VisibilityTimeout: 60", "VisibilityTimeout: 59"), "--json")
        held = json.loads(result.stdout)
        assert result.exit_code == 1
        assert held["findings"] == [
            {
                "rule": "visibility",
                "level": "error",
                "text": held["findings"][0]["text"],
                "file": str(self.file),
                "line": 13,
            }
        ]
        assert {one["name"] for one in held["variables"]} == {"TABLE", "MAILS"}

    def test_annotations_of_github(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        result = self.run(RIGHT.replace("VisibilityTimeout: 60", "VisibilityTimeout: 59"))
        [line] = [one for one in result.stdout.splitlines() if one.startswith("::")]
        assert line.startswith(
            f"::error file={self.file},line=13,title=junction check%3A visibility::OrdersQueue hides"
        )

    def test_calls_count_for_the_template(self, tmp_path: Path) -> None:
        write_calls(tmp_path / "calls.json", [Call("sqs orders", "dynamodb:PutItem", "orders", ("TABLE",))])
        result = self.run(RIGHT, "--calls", str(tmp_path / "calls.json"))
        assert "declares sqs:SendMessage for MAILS, which is never called" in result.stdout

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("- a\n", "is not a mapping of sections"),
            ("a: [\n", "cannot be read"),
            ("Resources: {}\n", "is no template: it has no Resources"),
            ("Resources: {A: 1}\n", "the resource A is not a mapping"),
            ("Resources: {A: {Type: 'AWS::SQS::Queue'}}\n", "it has no functions at all"),
            (
                RIGHT.replace("checked.handler", "other.handler")
                + RIGHT[RIGHT.index("  Shop:") :]
                .replace("Shop:", "B:")
                .replace("JobsMapping", "M")
                .replace("checked.handler", "b.handler"),
                "name one with --function",
            ),
        ],
    )
    def test_what_is_no_template(self, text: str, told: str) -> None:
        result = self.run(text)
        assert result.exit_code == 2
        assert told in result.stderr
        assert str(self.file) in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1

    def test_a_function_that_is_named(self) -> None:
        text = RIGHT.replace("checked.handler", "other.handler")
        assert self.run(text, "--function", "Shop").exit_code == 0
        result = self.run(text, "--function", "Shp")
        assert (result.exit_code, "the template has Shop" in result.stderr) == (2, True)

    def test_a_stack_that_cannot_be_told(self) -> None:
        result = CliRunner().invoke(app, ["check", "tests.unit.router.contract.test_checking:UNTOLD", "--offline"])
        assert result.exit_code == 1
        assert 'declare it, such as Schedule("nightly", "rate(1 day)")' in result.stdout


UNTOLD = Stack(f"{HERE}:resolver")


def test_the_page_lists_every_rule() -> None:
    text = (ROOT / "docs" / "checking.md").read_text()
    listed = re.findall(r"^\| `(\w[\w-]*)` \| ([^|]+?)(?: \(a warning\))? \|$", text, re.MULTILINE)
    assert dict(listed) == RULES


class TestMisnamedParameters:
    """A parameter of the path and an argument that are meant to be one, and are not."""

    def test_they_are_named(self) -> None:
        resolver = Resolver()

        @resolver.get("/orders/{order_id}")
        def show(id: int) -> str:
            return str(id)

        [found] = misnamed(resolver.routes)

        assert (found.rule, found.level) == ("parameters", "warning")
        assert found.text == (
            "GET /orders/{order_id}: no argument takes 'order_id' of the path, and 'id' has to come from the query: "
            "are they meant to be one?"
        )
        assert found.place is not None

    def test_what_may_be_meant_is_left_alone(self) -> None:
        resolver = Resolver()
        resolver.get("/{tenant}/orders")(lambda: "middleware reads the tenant")
        resolver.on_queue("orders")(lambda event: None)

        @resolver.get("/{tenant}/orders/{order_id}")
        def show(order_id: int, verbose: bool = False, page: int | None = None) -> str:
            return f"{order_id}{verbose}{page}"

        assert list(misnamed(resolver.routes)) == []
