"""An export into a template that exists: no line of others changes, and what is ours follows the routes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import loads

from router import ConfigurationError
from router.contract import Bucket, Queue, Topic
from router.contract.merging import marked
from router.contract.sam import template
from router.contract.templates import merged
from router.contract.yaml_text import write
from tests.unit.router.contract.test_sam import shop

THEIRS = """\
# The head of the file
AWSTemplateFormatVersion: "2010-09-09"   # quoted
Description: >-
  Folded
  text
Globals:
  Function: {Timeout: 3}
Parameters:
  Stage: {Type: String, Default: dev}   # on one line
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Mappings: {Sizes: {small: {Memory: 012}}}

Resources:
    # four spaces
    Mine: &mine
        Type: AWS::SNS::Topic
        Condition: IsProd
        Properties:
            TopicName: !Sub '${AWS::StackName}-t'
            Tags:
            - {Key: a, Value: no}
            - Key: b
              Value: on

    Other:
        Type: AWS::SNS::Topic
        Properties:
            DisplayName: !If [IsProd, !GetAtt Mine.TopicName, !Join ["-", [a, !Ref Stage]]]
            Text: |
              # no comment
                deeper
            Long: {"Fn::GetAtt": [Mine, Arn]}
    # the last one
Outputs:
  Arn:
    Value: !Ref Mine
# The end of the file
"""


def ours(*further: str, size: int = 1, parameter: bool = True, output: bool = True) -> dict[str, Any]:
    """Return a marked template with a queue, and with further queues."""
    queues = {
        name: {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": f"${{X}}-{name}"}, "Size": size}}
        for name in ("Orders", *further)
    }
    return marked(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Transform": "AWS::Serverless-2016-10-31",
            **({"Parameters": {"X": {"Type": "String"}}} if parameter else {}),
            "Resources": queues,
            **({"Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Orders", "QueueUrl"]}}}} if output else {}),
        }
    )


def cloudformation(text: str) -> Any:
    """Read a template by the rules of YAML 1.1, as CloudFormation does."""
    return json.loads(json.dumps(loads(text)))


def lost(before: str, after: str) -> list[str]:
    """Return the lines that are not there any more, in their order."""
    found = iter(after.splitlines(keepends=True))
    return [line for line in before.splitlines(keepends=True) if line not in found]


def test_every_line_of_others_stays_in_its_place() -> None:
    after = merged(THEIRS, ours())
    assert lost(THEIRS, after) == []
    held = cloudformation(after)
    assert list(held["Resources"]) == ["Mine", "Other", "Orders"]
    assert held["Resources"]["Orders"] == ours()["Resources"]["Orders"]
    assert set(held["Outputs"]) == {"Arn", "Url"}
    assert set(held["Parameters"]) == {"Stage", "X"}
    assert held["Transform"] == "AWS::Serverless-2016-10-31"


def test_a_second_export_changes_nothing() -> None:
    after = merged(THEIRS, ours("More"))
    assert merged(after, ours("More")) == after


def test_what_no_route_needs_any_more_is_taken_out_and_nothing_else() -> None:
    assert lost(THEIRS, merged(merged(THEIRS, ours("More", "Most")), ours())) == []
    assert merged(merged(THEIRS, ours("More", "Most")), ours()) == merged(THEIRS, ours())
    bare = merged(merged(THEIRS, ours()), ours(parameter=False, output=False))
    assert cloudformation(bare)["Parameters"] == {"Stage": {"Type": "String", "Default": "dev"}}
    assert "Metadata" not in cloudformation(bare)


def test_ours_follow_the_routes_where_they_stand() -> None:
    before = merged(THEIRS, ours())
    before = before.replace("    Other:\n", "    # about Other\n    Other:\n")
    after = merged(before, ours("More", size=2))
    held = cloudformation(after)["Resources"]
    assert list(held) == ["Mine", "Other", "Orders", "More"]
    assert held["Orders"]["Properties"]["Size"] == 2
    assert lost(THEIRS, after) == []


def test_resources_of_others_behind_ours_stay_behind() -> None:
    before = merged("Resources:\n", ours("More")) + "# end\n"
    before = before.replace("  More:\n", "  # about Mine\n  Mine:\n    Type: A::B::C\n\n  More:\n")
    after = merged(before, ours(size=2))
    assert list(cloudformation(after)["Resources"]) == ["Orders", "Mine"]
    assert "  # about Mine\n  Mine:\n    Type: A::B::C\n" in after


def test_metadata_that_somebody_added_to_ours_stays() -> None:
    before = merged(THEIRS, ours())
    marks = "        Junction: v1-"
    assert before.count(marks) == 1
    before = before.replace(marks, "        BuildMethod: makefile  # of sam build\n" + marks)
    after = merged(before, ours(size=2))
    assert "        BuildMethod: makefile  # of sam build\n" in after
    assert cloudformation(after)["Resources"]["Orders"]["Properties"]["Size"] == 2
    assert merged(after, ours(size=2)) == after


def test_another_style_of_writing_is_no_edit() -> None:
    import io

    from ruamel.yaml import YAML

    tool, out = YAML(), io.StringIO()
    tool.indent(mapping=4, sequence=6, offset=3)
    tool.dump(tool.load(merged(THEIRS, ours())), out)
    text = out.getvalue().replace("!Sub ${X}-Orders", '!Sub "${X}-Orders"  # a comment')
    assert merged(text, ours()) == text
    assert cloudformation(merged(text, ours(size=3)))["Resources"]["Orders"]["Properties"]["Size"] == 3


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        (lambda text: text.replace("Size: 1", "Size: 7"), "Orders"),
        (lambda text: text.replace("    Orders:\n", "    Renamed:\n"), "Renamed"),
        (lambda text: text.replace("  X:\n    Type: String\n", "  X:\n    Type: String\n    Default: a\n"), "X"),
        (lambda text: text.replace("!GetAtt Orders.QueueUrl", "!GetAtt Orders.Arn"), "Url"),
    ],
)
def test_an_edit_by_hand_is_named_with_its_line_and_force_writes(edit: Any, name: str) -> None:
    edited = edit(merged(THEIRS, ours()))
    line = 1 + next(n for n, text in enumerate(edited.splitlines()) if text.strip() == f"{name}:")
    with pytest.raises(ConfigurationError, match=rf"edited by hand.*{name} \(line {line}\).*--force"):
        merged(edited, ours())
    assert cloudformation(merged(edited, ours(), force=True)) == cloudformation(merged(THEIRS, ours()))


@pytest.mark.parametrize(
    ("section", "entry", "said"),
    [
        ("Resources:\n", "    Orders:\n        Type: A::B::C\n", "has Orders in its Resources"),
        ("Parameters:\n", "  Orders: {Type: String}\n", "has Orders in its Parameters"),
        ("Resources:\n", "    X: {Type: A::B::C}\n", "has X in its Resources, and the export needs this name in its P"),
        ("Outputs:\n", "  Url: {Value: a}\n", "has Url in its Outputs"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_a_name_that_others_have_is_refused_with_its_line(section: str, entry: str, said: str, force: bool) -> None:
    text = THEIRS.replace(section, section + entry)
    line = 2 + text.splitlines().index(section.strip())
    with pytest.raises(ConfigurationError, match=f"line {line}: the template {said}"):
        merged(text, ours(), force=force)


@pytest.mark.parametrize(
    ("name", "kind", "declared", "said"),
    [
        ("UploadsBucket", "AWS::S3::Bucket", Bucket("uploads", exists=True), 'Bucket("uploads", exists=True)'),
        ("AlertsTopic", "AWS::SNS::Topic", Topic("alerts", exists=True), 'Topic("alerts", exists=True)'),
        ("EventsFifoQueue", "AWS::SQS::Queue", Queue("events.fifo", exists=True), 'Queue("events.fifo", exists=True)'),
    ],
)
def test_what_is_made_by_hand_already_may_be_declared_as_such(name: str, kind: str, declared: Any, said: str) -> None:
    text = f"Resources:\n  {name}:\n    Type: {kind}\n"
    with pytest.raises(ConfigurationError, match=f"rename yours; or, .*, declare {re.escape(said)}"):
        merged(text, marked(template(shop())))
    after = merged(text, marked(template(shop(declared))))
    assert cloudformation(after)["Resources"][name] == {"Type": kind}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("UploadsBucket", "AWS::SNS::Topic"),
        ("MainFunction", "AWS::Serverless::Function"),
        ("EventsFifoQueueDead", "AWS::SQS::Queue"),
        ("FailedEvents", "AWS::SQS::Queue"),
    ],
)
def test_what_cannot_be_declared_as_ones_own_is_to_be_renamed(name: str, kind: str) -> None:
    with pytest.raises(ConfigurationError, match=r"rename yours$"):
        merged(f"Resources:\n  {name}:\n    Type: {kind}\n", marked(template(shop())))


def test_a_parameter_of_ones_own_takes_the_place_of_ours() -> None:
    text = THEIRS.replace("Parameters:\n", "Parameters:\n  X: {Type: String, Default: live}\n")
    after = merged(text, ours())
    assert cloudformation(after)["Parameters"]["X"] == {"Type": "String", "Default": "live"}
    assert merged(after, ours()) == after
    assert lost(text, merged(after, ours(parameter=False))) == []


def test_what_others_refer_to_is_not_taken_out() -> None:
    refers = "    Mine: &mine\n        DependsOn: [More]\n"
    text = merged(THEIRS, ours("More")).replace("    Mine: &mine\n", refers)
    with pytest.raises(ConfigurationError, match=r"line \d+: Mine refers to More, which no route needs any more"):
        merged(text, ours())
    assert "More" not in cloudformation(merged(text, ours(), force=True))["Resources"]


@pytest.mark.parametrize(
    ("text", "resources"),
    [
        ("", ["Orders"]),
        ("# a comment alone\n", ["Orders"]),
        ("Resources:\n", ["Orders"]),
        ("Resources: {}  # none yet\n", ["Orders"]),
        ("Resources: ~", ["Orders"]),
        ("Description: text", ["Orders"]),
        ("---\nDescription: text\n...\n", ["Orders"]),
        ("Transform: [A]\nResources: {}", ["Orders"]),
        ("Transform:\n- A\nResources: {}", ["Orders"]),
        ("Transform:\n  - A\n  - AWS::Serverless-2016-10-31\nDescription: x\n", ["Orders"]),
        ("Transform: A   # of mine\n", ["Orders"]),
        ("  Description: x\n  Resources:\n    Mine: {Type: A}\n", ["Mine", "Orders"]),
        ("Metadata: {}\nOutputs:\nParameters: null\nResources:\n  Mine: {Type: A}\n\n", ["Mine", "Orders"]),
        ("Resources:\n  Mine: {Type: A}", ["Mine", "Orders"]),
        ("Metadata:\n  # none yet\nResources:\n  # none yet\nOutputs:\n", ["Orders"]),
        ("Resources:\n  Mine:\n    Type: |\n      A\n      B", ["Mine", "Orders"]),
        ('"Resources":\n  Mine: {Type: &a A, B: *a}\nMappings: {B: {C: 1}}\n', ["Mine", "Orders"]),
        ("Resources:\n  Mine: {Type: A}\n\n# Outputs follow\nOutputs:\n  A: {Value: b}", ["Mine", "Orders"]),
    ],
)
@pytest.mark.filterwarnings("error")
def test_templates_that_are_short_or_written_in_rare_ways(text: str, resources: list[str]) -> None:
    after = merged(text, ours())
    held = cloudformation(after)
    assert list(held["Resources"]) == resources
    assert {*held["Parameters"], *held["Outputs"]} >= {"X", "Url"}
    assert "AWS::Serverless-2016-10-31" in held["Transform"]
    assert held.get("Description", "text") in ("text", "x")
    assert after.count("#") == text.count("#")
    assert merged(after, ours()) == after


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    text = "\ufeff" + THEIRS.replace("\n", "\r\n")
    after = merged(text, ours())
    assert lost(text, after) == []
    assert after.count("\n") == after.count("\r\n")
    assert after.startswith("\ufeff#")
    assert after.replace("\r\n", "\n").removeprefix("\ufeff") == merged(THEIRS, ours())


def test_signs_that_end_a_line_in_unicode_alone_stay() -> None:
    text = 'Description: "a\u2028b\x85c"  # d\nResources:\n  Mine: {Type: A}\n'
    assert [line for line in text.split("\n") if line not in merged(text, ours()).split("\n")] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b: c", "cannot be read: mapping values are not allowed here"),
        ("Resources:\n\tA: 1", "cannot be read"),
        ("a: *nothing", "cannot be read: found undefined alias"),
        ("a: 1\n---\nb: 2\n", "cannot be read: expected a single document"),
        ("- Resources", "not a mapping of sections"),
        ("[]", "not a mapping of sections"),
        ("just text", "not a mapping of sections"),
        ("Resources: [a]", "line 1: Resources is not a mapping"),
        ("Resources:\n  A: {Type: B}\n  A: {Type: C}\n", "line 3: A is there already, on line 2"),
        ("Resources: {A: {Type: B}}", "line 1: it is written in braces"),
        ("Resources:\n  <<: {A: {Type: B}}\n", "line 2: an export needs a line for each name here"),
        ("Resources:\n  ? A\n  : {Type: B}\n", "line 2: an export needs a line for each name here"),
        ("Resources:\n  ? [a]\n  : {Type: B}\n", "line 2: a name is not a text"),
        ("Resources: &a\n  A: *a\n", "line 1: a value that holds itself"),
        ("{Resources: {}}", "cannot be read as JSON: Expecting property name"),
        ('{"Resources": {}', "cannot be read as JSON"),
        ('{"a": 1, "a": 2}', "cannot be read as JSON: the name 'a' is there twice"),
        ("[" * 100_000, "cannot be read"),
        ('{"a":' * 100_000, "cannot be read as JSON"),
        ("a: \x01", "cannot be read"),
    ],
)
def test_what_is_no_template_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        merged(text, ours())


@pytest.mark.parametrize("indent", ["  ", "\t", None])
def test_json_stays_json(indent: str | None) -> None:
    held: dict[str, Any] = {
        "Resources": {"Mine": {"Type": "A", "Name": "ü", "On": True, "N": 1.5}},
        "Metadata": {"Own": [None, 1]},
    }
    text = json.dumps(held, indent=indent, ensure_ascii=False) + "\n"
    after = merged(text, ours("More"))
    assert indent is None or lost(text.replace(",", ""), after.replace(",", "")) == []
    made = json.loads(after)
    assert list(made["Resources"]) == ["Mine", "Orders", "More"]
    assert made["Resources"]["Mine"] == held["Resources"]["Mine"]
    assert made["Metadata"]["Own"] == [None, 1]
    assert merged(after, ours("More")) == after
    assert json.loads(merged(after, ours(size=2)))["Resources"]["Orders"]["Properties"]["Size"] == 2
    assert json.loads(merged(after, marked({"Resources": {}})))["Resources"] == held["Resources"]
    with pytest.raises(ConfigurationError, match="has Orders in its Resources"):
        merged(json.dumps({"Resources": {"Orders": {"Type": "A"}}}, indent=indent), ours())
    with pytest.raises(ConfigurationError, match=r"edited by hand since the last export: .*Orders"):
        merged(after.replace("AWS::SQS::Queue", "AWS::SNS::Topic"), ours("More"))


@pytest.mark.parametrize("form", ["yaml", "json"])
@pytest.mark.parametrize(
    ("count", "size", "said"),
    [
        (500, 1, "it has 501 resources, and CloudFormation takes 500"),
        (1, 1_000_000, "it has 1,000,\\d+ bytes, and CloudFormation takes 1,000,000"),
    ],
)
def test_what_becomes_too_large_with_others_is_refused_with_the_figures(
    form: str, count: int, size: int, said: str
) -> None:
    held = {"Resources": {f"Mine{number}": {"Type": "A", "Text": "x" * size} for number in range(count)}}
    text = json.dumps(held) if form == "json" else write(held)
    with pytest.raises(ConfigurationError, match=said):
        merged(text, ours())


HOSTILE = [
    *("no", "Yes", "OFF", "y", "null", "~", "1e3", "012", "0x1f", "1:30", "2026-01-01", ".inf", "1_000", "<<", "="),
    *(": ", "a: b", "a:", "a #b", "#a", "!x", "&a", "*b", "- a", "-", "?", "{a}", "[a]", "%a", "@a", "`a", "|", ">"),
    *("'", '"', "\\n", "a\\", "---", "...", "Fn::Sub", "${x}", "${", "\n", "a\n  b\n", " a ", "\t", "", "é", "\u2028"),
    *("\x85", "\x00", "\x7f", "\ufeff", "😀", "x" * 300, "a, b", "$", "/"),
]


def test_texts_come_back_as_they_were_whatever_they_look_like() -> None:
    held = {
        "Values": dict.fromkeys(HOSTILE, 1),
        "List": HOSTILE,
        "Texts": {f"k{n}": text for n, text in enumerate(HOSTILE)},
        "Short": [{"Fn::Sub": text} for text in HOSTILE],
        "Nested": [[], {}, [[1, [True]], {"a": [1.5]}], {"a": {"b": [{"c": 1, "d": []}]}}],
    }
    assert cloudformation(write(held)) == held


def test_no_aliases_are_written() -> None:
    shared = ["a", {"b": "c"}]
    assert write({"One": shared, "Two": shared}).count("- a") == 2
