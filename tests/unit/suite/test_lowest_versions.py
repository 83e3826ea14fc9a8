"""The lowest versions that users may have are those that the tests run on."""

from __future__ import annotations

import tomllib

import pytest

from scripts.lowest_versions import ROOT, lowest


def test_each_bound_of_a_users_extra_becomes_a_constraint():
    project = {
        "dependencies": ["orjson>=3.10"],
        "optional-dependencies": {
            "aws": ["boto3>=1.34.2"],
            "auth": ["pyjwt[crypto]>=2.11"],
            "durable": ["sdk>=3.0,<4"],
            "dev": ["ruff>=0.12"],
        },
    }
    assert lowest(project) == ["boto3==1.34.2", "botocore==1.34.2", "orjson==3.10", "pyjwt==2.11", "sdk==3.0"]


def test_a_requirement_without_a_lower_bound_is_refused():
    with pytest.raises(ValueError, match="httpx<1"):
        lowest({"dependencies": ["httpx<1"]})


def test_all_of_this_project_have_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert any(one.startswith("boto3==") for one in lowest(project))
