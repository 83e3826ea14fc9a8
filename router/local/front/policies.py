"""Judge the policy that an authorizer answers with."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

Judgement = Literal["allow", "deny", "nothing"]
_ACTION = "execute-api:invoke"


class NoPolicy(Exception):
    """Raised for what is not a policy. Its text says why."""


def judge(document: Any, called: str) -> Judgement:
    """Return whether a policy allows a call, denies it, or says nothing of it.

    called: the ARN of what is called.

    Raises:
        NoPolicy: the document is none.
    """
    if type(document) is not dict:
        raise NoPolicy("policyDocument is not an object")
    statements = document.get("Statement")
    if type(statements) is dict:
        statements = [statements]
    if type(statements) is not list or not statements:
        raise NoPolicy("policyDocument has no Statement")
    judgement: Judgement = "nothing"
    for statement in statements:
        if type(statement) is not dict or statement.get("Effect") not in ("Allow", "Deny"):
            raise NoPolicy("a Statement has no Effect, which is Allow or Deny")
        actions, resources = _texts(statement, "Action"), _texts(statement, "Resource")
        if not any(_covers(one.lower(), _ACTION) for one in actions):
            continue
        if any(_covers(one, called) for one in resources):
            if statement["Effect"] == "Deny":
                return "deny"
            judgement = "allow"
    return judgement


def _texts(statement: dict[str, Any], key: str) -> list[str]:
    value = statement.get(key)
    values = [value] if type(value) is str else value
    if type(values) is not list or not values or any(type(one) is not str for one in values):
        raise NoPolicy(f"a Statement has no {key}, which is a text or a list of texts")
    return values


def _covers(pattern: str, text: str) -> bool:
    return pattern == "*" or _compiled(pattern).fullmatch(text) is not None


@lru_cache(256)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return the pattern of a policy: `*` stands for any text, `?` for one character."""
    # Stars in a row say no more than one, and would make a search without end of it.
    pattern = re.sub(r"\*+", "*", pattern)
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.compile("".join(parts), re.DOTALL)
