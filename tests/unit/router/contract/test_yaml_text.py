"""The text of a template means to CloudFormation, which reads YAML 1.1 without aliases, what the data means."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.events import AliasEvent

from router.contract import yaml_text

WORDS = ["OFF", "on", "y", "No", "1_000", "12:30", "0777", "0o17", "2010-09-09", "1e3", "~", "null", "true", "=", "<<"]


def read_as_cloudformation(text: str) -> Any:
    """Return a template as a reader of YAML 1.1 understands it."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    return yaml.load(text)


@pytest.mark.parametrize("word", WORDS)
def test_a_text_stays_a_text(word: str) -> None:
    template = {"Resources": {"A": {"Value": word, "List": [word], word: "as a key"}}}
    assert read_as_cloudformation(yaml_text.write(template)) == template


def test_nothing_is_an_alias() -> None:
    shared = ["ReportBatchItemFailures"]
    text = yaml_text.write({"Resources": {"A": {"Types": shared}, "B": {"Types": shared}}})
    assert not [event for event in YAML().parse(text) if isinstance(event, AliasEvent)]
    assert read_as_cloudformation(text)["Resources"] == {"A": {"Types": shared}, "B": {"Types": shared}}


def test_functions_are_short() -> None:
    text = yaml_text.write({"Resources": {"A": {"Arn": {"Fn::GetAtt": ["B", "Arn"]}, "Name": {"Fn::Sub": "${C}-d"}}}})
    assert "Arn: !GetAtt B.Arn" in text
    assert "Name: !Sub ${C}-d" in text


@pytest.mark.parametrize("data", [[], [{"name": "a", "in": {"type": "object"}}, {"name": "b"}], [["a"], {}, "no"]])
def test_a_document_may_be_a_list(data: Any) -> None:
    assert read_as_cloudformation(yaml_text.write(data)) == data
