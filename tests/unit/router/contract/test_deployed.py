"""What a check reads out of templates that people write: conditions, loops, aliases, and what only AWS tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.aws import Aws, Settings
from adapters.environment import ParameterStore
from router import Event, Resolver
from router.contract.checking import Finding
from router.contract.checking.deployed import Template
from router.contract.checking.structure import expanded, plain
from router.contract.checking.template import check_template
from router.environment import DynamoDB, Environment
from tests.unit.router.contract.templates import changed, rules

resolver = Resolver()


@resolver.on_queue("orders", requires={"TABLE": [DynamoDB.PUT_ITEM]})
def order(event: Event) -> None: ...


SHOP = """\
Resources:
  Shop:
    Type: AWS::Lambda::Function
    Properties:
      Handler: shop.handler
      Role: !GetAtt Role.Arn
      Environment: {Variables: {TABLE: orders}}
  Other:
    Type: AWS::Lambda::Function
    Properties: {Handler: other.handler, Role: arn:aws:iam::1:role/other, Timeout: 900}
  Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: orders, RedrivePolicy: {}}}
  Live:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Shop, FunctionVersion: !GetAtt Latest.Version, Name: live}
  Latest: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Shop}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Shop
      EventSourceArn: !GetAtt Orders.Arn
      FunctionResponseTypes: [ReportBatchItemFailures]
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: own
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: "dynamodb:PutItem", Resource: "arn:aws:dynamodb:eu-west-1:1:table/orders"}
              - Effect: Allow
                Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
                Resource: !GetAtt Orders.Arn
"""
STATEMENT = '{Effect: Allow, Action: "dynamodb:PutItem", Resource: "arn:aws:dynamodb:eu-west-1:1:table/orders"}'
PUT = f"              - {STATEMENT}\n"
NO_RIGHT = (PUT, "")
Check = Callable[..., list[Finding]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    def found(*changes: tuple[str, str], of: Resolver = resolver) -> list[Finding]:
        held = changed(tmp_path, SHOP, *changes)
        return list(check_template(held, held.functions[:1], of))

    return found


class TestMappings:
    def test_in_order(self, check: Check) -> None:
        assert check() == []

    @pytest.mark.parametrize(
        "source",
        [
            "!ImportValue orders",
            "!Ref Told",
            "!If [Prod, !GetAtt Orders.Arn, !ImportValue x]",
            "'{{resolve:ssm:/orders}}'",
        ],
    )
    def test_a_source_that_only_the_deployment_tells_may_be_any(self, check: Check, source: str) -> None:
        assert check(("EventSourceArn: !GetAtt Orders.Arn", f"EventSourceArn: {source}")) == []

    def test_what_fails_is_lost_whatever_the_source(self, check: Check) -> None:
        changes = ("!GetAtt Orders.Arn\n      FunctionResponseTypes: [ReportBatchItemFailures]", "!ImportValue orders")
        assert rules(check(changes)) == ["partial-responses"]

    @pytest.mark.parametrize("stream", ["!GetAtt Consumer.ConsumerARN", "!Ref Consumer"])
    def test_a_consumer_of_a_stream(self, check: Check, stream: str) -> None:
        clicks = Resolver()
        clicks.on_stream("clicks", requires={})(order)
        consumer = "  Consumer: {Type: AWS::Kinesis::StreamConsumer, Properties: {StreamARN: !Ref X}}\n  Mapping:\n"
        changes = (("  Mapping:\n", consumer), ("EventSourceArn: !GetAtt Orders.Arn", f"EventSourceArn: {stream}"))
        assert "no-trigger" not in rules(check(*changes, of=clicks))

    @pytest.mark.parametrize(
        "name",
        [
            "!Ref Live",
            "!Sub '${Shop.Arn}:live'",
            "!Join [':', [!GetAtt Shop.Arn, live]]",
            "!Ref Latest",
            "!Ref Shop.Alias",
            "!Ref ShopAliaslive",
        ],
    )
    def test_an_alias_is_its_function(self, check: Check, name: str) -> None:
        changes = (
            ("FunctionName: !Ref Shop\n      Event", f"FunctionName: {name}\n      Event"),
            ("Handler: s", "Timeout: 6\n      Handler: s"),
        )
        [found] = check(*changes)
        assert (found.rule, "six times the 6 s of Shop" in found.text) == ("visibility", True)
        other = (changes[0][0], changes[0][1].replace("Shop", "Other"))
        if "Shop" in name:
            assert "no-trigger" in rules(check(other))

    def test_a_function_that_only_the_deployment_tells_is_not_this_one(self, check: Check) -> None:
        told = ("FunctionName: !Ref Shop\n      Event", "FunctionName: !ImportValue x\n      Event")
        slow = ("Handler: shop.handler", "Handler: shop.handler\n      Timeout: 900")
        assert check(told, slow) == []

    def test_a_function_of_another_stack_is_not_this_one(self, check: Check) -> None:
        other = "FunctionName: arn:aws:lambda:eu-west-1:1:function:other\n      Event"
        assert "no-trigger" in rules(check(("FunctionName: !Ref Shop\n      Event", other)))
        mine = ("Handler: shop", "FunctionName: shop\n      Handler: shop")
        named = "FunctionName: arn:aws:lambda:eu-west-1:1:function:shop:live\n      Event"
        assert check(("FunctionName: !Ref Shop\n      Event", named), mine) == []

    @pytest.mark.parametrize(
        ("filtered", "told"),
        [
            (["card"], 'takes body.kind "cash", which no filter lets through'),
            (["card", "cash"], ""),
            ([{"prefix": "ca"}], ""),
            (["other"], 'takes body.kind "card"'),
        ],
    )
    def test_filters_that_decline_what_a_route_takes(self, check: Check, filtered: list[Any], told: str) -> None:
        paid = Resolver()
        pattern = {"body": {"kind": ["card", "cash"], "total": [{"numeric": [">", 1]}]}}
        paid.on_queue("orders", requires={"TABLE": [DynamoDB.PUT_ITEM]}, pattern=pattern, others="ignore")(order)
        criteria = json.dumps({"Filters": [{"Pattern": json.dumps({"body": {"kind": filtered}})}]})
        change = ("[ReportBatchItemFailures]", f"[ReportBatchItemFailures]\n      FilterCriteria: {criteria}")
        found = check(change, of=paid)
        assert [told in one.text for one in found] == [True] * bool(told)

    def test_a_method_that_nothing_brings(self, tmp_path: Path) -> None:
        file = tmp_path / "template.yaml"
        events = "{A: {Type: HttpApi, Properties: {Path: /x, Method: get}}}"
        kind = "Type: AWS::Serverless::Function"
        file.write_text(f"Resources: {{Shop: {{{kind}, Properties: {{Handler: shop.handler, Events: {events}}}}}}}")
        both = Resolver()
        both.route("/x", methods=["GET", "POST"], requires={})(order)
        held = Template(file)
        [found] = check_template(held, held.functions, both)
        assert "no trigger for POST of it in Shop: there is GET /x" in found.text


class TestStructure:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("[ReportBatchItemFailures]", "!If [A, [ReportBatchItemFailures], !Ref AWS::NoValue]"),
            ("Variables: {TABLE: orders}", "Variables: !If [A, {TABLE: orders}, {TABLE: orders}]"),
            ("{Variables: {TABLE: orders}}", "!If [A, {Variables: {TABLE: orders}}, {Variables: {TABLE: x}}]"),
            (
                "Variables: {TABLE: orders}",
                "Variables: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: x}}}",
            ),
            (PUT, f"              - Fn::If: [A, {STATEMENT}, !Ref AWS::NoValue]\n"),
            ("QueueName: orders,", "QueueName: orders, VisibilityTimeout: !If [A, 1, !Ref AWS::NoValue],"),
            ("{QueueName: orders, RedrivePolicy: {}}", "!If [A, {QueueName: orders, RedrivePolicy: {}}, {}]"),
        ],
    )
    def test_a_condition_is_no_fault(self, check: Check, before: str, after: str) -> None:
        assert check((before, after)) == []

    def test_what_no_branch_has_is_a_fault(self, check: Check) -> None:
        assert rules(check(("Variables: {TABLE: orders}", "Variables: !If [A, {X: a}, {Y: a}]"))) == ["variables"]
        statement = STATEMENT.replace("PutItem", "GetItem")
        found = check((PUT, f"              - Fn::If: [A, {statement}, !Ref AWS::NoValue]\n"))
        assert rules(found) == ["permissions", "unused-permission"]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("TABLE: orders}", "TABLE: !GetAtt []}"),
            ("TABLE: orders}", "TABLE: !Sub []}"),
            ("Resources:", "Parameters: {T: x}\nResources:"),
            ("RedrivePolicy: {}", "RedrivePolicy: []"),
            ("[ReportBatchItemFailures]", "ReportBatchItemFailures"),
            ("[ReportBatchItemFailures]", "[ReportBatchItemFailures]\n      FilterCriteria: {Filters: x}"),
            ("[ReportBatchItemFailures]", "[ReportBatchItemFailures]\n      DestinationConfig: x"),
            ("  Live:\n", "  T: {Type: AWS::SNS::Topic, Properties: {Subscription: !If [a, [x], y]}}\n  Live:\n"),
            ("  Live:\n", "  B: {Type: AWS::S3::Bucket, Properties: {NotificationConfiguration: [x]}}\n  Live:\n"),
            ("  Live:\n", "  S: {Type: AWS::Scheduler::Schedule, Properties: {Target: [x]}}\n  Live:\n"),
            ("Policies:\n", "ManagedPolicyArns: x\n      Policies:\n"),
        ],
    )
    def test_no_mistake_ends_the_check(self, check: Check, before: str, after: str) -> None:
        found = check((before, after))
        assert set(rules(found)) <= {"policies", "unused-permission"}

    def test_loops(self) -> None:
        loop = {
            "Fn::ForEach::Q": ["Name", ["A", "B"], {"Queue${Name}": {"Type": "AWS::SQS::Queue", "Q": {"Ref": "Name"}}}]
        }
        made = expanded({**loop, "Fn::Transform": {}})
        assert list(made) == ["QueueA", "QueueB"]
        assert made["QueueB"]["Q"] == "B"
        loop["Fn::ForEach::Q"][1] = {"Ref": "Names"}
        assert list(expanded(loop)) == ["Queue*"]

    def test_aliases_of_aliases(self) -> None:
        held: Any = ["x"]
        for _ in range(40):
            held = [held, held]
        made = plain({"a": held})["a"]
        assert made[0] is made[1]

    def test_conditions_move_inwards(self) -> None:
        either = {"Fn::If": ["A", {"a": "1", "b": "2"}, {"a": "1"}]}
        assert plain(either) == {"a": "1", "b": {"Fn::If": ["", "2", {"Ref": "AWS::NoValue"}]}}
        assert plain([{"Fn::If": ["A", {"a": "1"}, {"Ref": "AWS::NoValue"}]}, "x"]) == [{"a": "1"}, "x"]
        assert plain([{"Fn::If": ["A", "x", {"Ref": "AWS::NoValue"}]}, "y"]) == ["x", "y"]
        joined = {"Fn::Join": ["", ["a", {"Fn::If": ["A", "b", "c"]}]]}
        assert plain(joined) == joined
        assert plain({"a": {"Fn::If": ["A", ["1"], ["2"]]}}) == {"a": ["1", "2"]}
        assert plain({"a": {"Fn::If": "x"}, "b": {"Ref": "AWS::NoValue"}}) == {"a": {"Fn::If": "x"}}


class TestPermissions:
    def test_a_policy_for_a_role(self, check: Check) -> None:
        policy = f"""\
  Own:
    Type: AWS::IAM::RolePolicy
    Properties:
      RoleName: !Ref Role
      PolicyDocument:
        Statement:
{PUT}  Live:
"""
        assert check(NO_RIGHT, ("  Live:\n", policy)) == []

    def test_a_policy_for_the_role_that_sam_makes(self, check: Check) -> None:
        policy = f"""\
  Own:
    Type: AWS::IAM::Policy
    Properties:
      Roles: [!Ref ShopRole]
      PolicyDocument:
        Statement:
{PUT}  Live:
"""
        serverless = (
            ("AWS::Lambda::Function", "AWS::Serverless::Function"),
            ("      Role: !GetAtt Role.Arn\n", ""),
            ("      Environment:", "      Policies: [AWSLambdaSQSQueueExecutionRole]\n      Environment:"),
        )
        assert rules(check(*serverless)) == ["permissions"]
        assert check(*serverless, ("  Live:\n", policy)) == []

    @pytest.mark.parametrize("action", ["dynamodb:*", "*", "kinesis:*", "s3:*"])
    def test_wildcards_that_nobody_needs_are_told(self, check: Check, action: str) -> None:
        plain_ = Resolver()
        plain_.on_invoke("x", requires={})(order)
        mapping = SHOP[SHOP.index("  Mapping:\n") : SHOP.index("  Role:\n")]
        found = check((mapping, ""), ("dynamodb:PutItem", action), of=plain_)
        assert any(one.text.startswith(f"{action} on ") for one in found)

    @pytest.mark.parametrize("action", ["sqs:ChangeMessageVisibility", "sqs:*", "logs:PutLogEvents"])
    def test_what_belongs_to_a_poller_is_needed(self, check: Check, action: str) -> None:
        assert check(('["sqs:ReceiveMessage"', f'["{action}", "sqs:ReceiveMessage"')) == []

    def test_messages_that_come_again_later(self, check: Check) -> None:
        later = Resolver(delay=lambda *_: 5)
        later.on_queue("orders", requires={"TABLE": [DynamoDB.PUT_ITEM]})(order)
        [found] = check(of=later)
        assert "Lambda needs sqs:ChangeMessageVisibility for it" in found.text

    @pytest.mark.parametrize(
        ("target", "action"),
        [
            ("arn:aws:sns:eu-west-1:1:failed", "sns:Publish"),
            ("arn:aws:s3:::failed", "s3:PutObject"),
            ("!GetAtt Orders.Arn", "sqs:SendMessage"),
            ("!ImportValue failed", ""),
        ],
    )
    @pytest.mark.parametrize("where", ["mapping", "resource", "letters"])
    def test_where_failures_go(self, check: Check, target: str, action: str, where: str) -> None:
        config = f"DestinationConfig: {{OnFailure: {{Destination: {target}}}}}"
        config_of = "  Config:\n    Type: AWS::Lambda::EventInvokeConfig\n    Properties: "
        changes = {
            "mapping": ("[ReportBatchItemFailures]", f"[ReportBatchItemFailures]\n      {config}"),
            "resource": (
                "  Live:\n",
                f"{config_of}{{FunctionName: !Ref Shop, {config}}}\n  Live:\n",
            ),
            "letters": ("Handler: shop", f"DeadLetterConfig: {{TargetArn: {target}}}\n      Handler: shop"),
        }
        found = check(changes[where])
        assert [action in one.text for one in found] == [True] * bool(action)
        right = PUT.replace("dynamodb:PutItem", action).replace("arn:aws:dynamodb:eu-west-1:1:table/orders", "*")
        assert not action or check(changes[where], (PUT, PUT + right)) == []

    @pytest.mark.parametrize(
        "settings",
        [
            "EventInvokeConfig: {DestinationConfig: {OnFailure: {TYPEDestination: !GetAtt Orders.Arn}}}",
            "Events: {Q: {Type: SQS, Properties: {DestinationConfig: {OnFailure: {TYPEDestination: a:b:sqs:::c}}}}}",
        ],
    )
    def test_sam_permits_a_destination_of_a_type(self, check: Check, settings: str) -> None:
        changes = (
            ("AWS::Lambda::Function", "AWS::Serverless::Function"),
            ("      Role: !GetAtt Role.Arn\n", f"      Policies: [{{Statement: [{STATEMENT}]}}]\n      {settings}\n"),
            (SHOP[SHOP.index("  Mapping:\n") : SHOP.index("  Role:\n")], ""),
        )
        typed = (changes[0], (changes[1][0], changes[1][1].replace("TYPE", "Type: SQS, ")), changes[2])
        untyped = (changes[0], (changes[1][0], changes[1][1].replace("TYPE", "")), changes[2])
        assert "permissions" not in rules(check(*typed))
        assert "permissions" in rules(check(*untyped))

    def test_a_condition_between_policies_is_each_of_them(self, check: Check) -> None:
        change = (
            "      Policies:\n",
            "      ManagedPolicyArns: [!If [A, POLICY, !Ref AWS::NoValue]]\n      Policies:\n",
        )
        known = change[1].replace("POLICY", "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess")
        assert check((change[0], known)) == []
        assert rules(check((change[0], change[1].replace("POLICY", "arn:aws:iam::1:policy/own")))) == ["policies"]

    def test_a_role_of_several_functions(self, tmp_path: Path) -> None:
        file = tmp_path / "template.yaml"
        other = SHOP[SHOP.index("    Properties: {Handler: other") : SHOP.index("  Orders: {Type")]
        variables = "Environment: {Variables: {JUNCTION_FUNCTION: b}}"
        settings = f"      Handler: shop.handler\n      Role: !GetAtt Role.Arn\n      {variables}\n"
        text = SHOP.replace("TABLE: orders}", "TABLE: orders, JUNCTION_FUNCTION: a}")
        file.write_text(text.replace(other, f"    Properties:\n{settings}"))
        held = Template(file)
        split = Resolver()
        split.on_queue("orders", requires={"TABLE": [DynamoDB.PUT_ITEM]}, function="a")(order)
        split.on_invoke("x", requires={}, function="b")(lambda event: None)
        assert list(check_template(held, held.functions, split)) == []
        assert rules(list(check_template(held, held.functions[1:], split))) == ["no-function"]  # nor do others' needs

    def test_a_connector_is_not_read(self, check: Check) -> None:
        connector = "  Link: {Type: AWS::Serverless::Connector, Properties: {Source: {Id: Shop}}}\n  Live:\n"
        assert rules(check(NO_RIGHT, ("  Live:\n", connector))) == ["policies"]
        inside = ("    Type: AWS::Lambda::Function\n", "    Type: AWS::Lambda::Function\n    Connectors: {A: {}}\n")
        assert rules(check(NO_RIGHT, inside)) == ["policies"]

    def test_a_store_of_variables(self, check: Check) -> None:
        stored = Resolver(
            environment=Environment(app="shop", stores=[ParameterStore(Aws(Settings(region="eu-west-1")))])
        )
        stored.on_queue("orders", requires={"TABLE": [DynamoDB.PUT_ITEM]})(order)
        assert check(of=stored) == []  # the template tells it
        [found] = check(("TABLE: orders", "OTHER: orders"), of=stored)
        assert "it needs ssm:GetParameters, and no policy of Shop allows it" in found.text


class TestCalling:
    """What brings events, and what it is allowed to call."""

    TOPIC = """\
  News: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
  Old: {Type: AWS::SNS::Topic, Properties: {TopicName: old}}
  Rule: {Type: AWS::Events::Rule, Properties: {EventPattern: {detail-type: [Paid]}, Targets: [{Arn: !GetAtt Shop.Arn}]}}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: {Protocol: lambda, Endpoint: !GetAtt Shop.Arn, TopicArn: !Ref News}
"""

    @pytest.mark.parametrize(
        ("permissions", "lacking"),
        [
            ([], ["Rule", "Subscription"]),
            (["Principal: sns.amazonaws.com", "Principal: events.amazonaws.com"], []),
            (["Principal: sns.amazonaws.com, SourceArn: !Ref News"], ["Rule"]),
            (["Principal: sns.amazonaws.com, SourceArn: !Ref Old"], ["Rule", "Subscription"]),
            (["Principal: sns.amazonaws.com, SourceArn: !ImportValue x"], ["Rule"]),
            (["Principal: !Ref Who"], []),
        ],
    )
    def test_without_a_permission_nothing_arrives(
        self, check: Check, permissions: list[str], lacking: list[str]
    ) -> None:
        both = Resolver()
        both.on_topic("news", requires={})(order)
        both.on_bus("Paid", requires={})(order)
        both.on_queue("orders", requires={"TABLE": [DynamoDB.PUT_ITEM]})(order)
        added = "".join(
            f"  P{number}: {{Type: AWS::Lambda::Permission, Properties: {{FunctionName: !Ref Shop, {one}}}}}\n"
            for number, one in enumerate(permissions)
        )
        found = check(("  Live:\n", f"{self.TOPIC}{added}  Live:\n"), of=both)
        assert sorted(one.text.partition(":")[0] for one in found) == lacking
        assert set(rules(found)) <= {"permissions"}


class TestNames:
    @pytest.mark.parametrize(
        ("source", "rule", "taken"),
        [
            ("shop", "[shop]", True),
            ("shop", "[other]", False),
            ("shop", "[{prefix: sh}]", True),
            ("shop.*", "[shop.eu]", True),
            ("shop", "[{anything-but: x}]", True),
            ("*", "[other]", True),
        ],
    )
    def test_the_source_of_events_of_a_bus(self, check: Check, source: str, rule: str, taken: bool) -> None:
        both = Resolver()
        both.on_bus("Paid", requires={}, source=source)(order)
        both.on_queue("orders", requires={"TABLE": [DynamoDB.PUT_ITEM]})(order)
        pattern = f"EventPattern: {{source: {rule}, detail-type: [Paid]}}"
        added = f"""\
  Rule: {{Type: AWS::Events::Rule, Properties: {{{pattern}, Targets: [{{Arn: !GetAtt Shop.Arn}}]}}}}
  P: {{Type: AWS::Lambda::Permission, Properties: {{FunctionName: !Ref Shop, Principal: events.amazonaws.com}}}}
"""
        assert rules(check(("  Live:\n", f"{added}  Live:\n"), of=both)) == (
            [] if taken else ["no-route", "no-trigger"]
        )

    @pytest.mark.parametrize("queue", ["true", "{QueueArn: !GetAtt Orders.Arn}"])
    def test_a_topic_by_a_queue_of_sam(self, check: Check, queue: str) -> None:
        event = f"Events: {{T: {{Type: SNS, Properties: {{Topic: x, SqsSubscription: {queue}}}}}}}"
        found = check(
            ("AWS::Lambda::Function", "AWS::Serverless::Function"),
            ("      Role: !GetAtt Role.Arn\n", f"      Policies: [{{Statement: [{STATEMENT}]}}]\n      {event}\n"),
            (SHOP[SHOP.index("  Mapping:\n") : SHOP.index("  Role:\n")], ""),
        )
        assert "no-trigger" not in rules(found)
        assert "partial-responses" in rules(found)


class TestPermitted:
    """A trigger that is made elsewhere, of which the template has the permission alone."""

    PERMISSION = """\
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Shop, Action: "lambda:InvokeFunction", Principal: PRINCIPAL, SourceArn: "ARN"}
  Live:
"""

    @pytest.mark.parametrize(
        ("principal", "arn", "ok"),
        [
            ("s3.amazonaws.com", "arn:aws:s3:::uploads", True),
            ("s3.amazonaws.com", "arn:aws:s3:::downloads", False),
            ("sns.amazonaws.com", "arn:aws:sns:eu-west-1:1:uploads", False),
        ],
    )
    def test_brings_its_events(self, check: Check, principal: str, arn: str, ok: bool) -> None:
        bucket = Resolver()
        bucket.on_object("uploads", requires={})(order)
        permission = self.PERMISSION.replace("PRINCIPAL", principal).replace("ARN", arn)
        assert ("no-trigger" in rules(check(("  Live:\n", permission), of=bucket))) != ok
        assert rules(check(("  Live:\n", permission))) == []  # a permission alone brings nothing for certain
