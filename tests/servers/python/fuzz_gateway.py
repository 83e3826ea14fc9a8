"""`python fuzz_gateway.py URL DOCUMENT`: asks a gateway for what schemathesis makes of a document.

It raises AssertionError where the gateway or the application breaks: an answer of 500 and more, one that is not
JSON, or one that the document does not know. It runs in an environment of its own, makes the same requests each time,
and prints how often there was each status, by operation and mode, and the products of orders that were taken.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings

EXAMPLES = 40


def main(url: str, document: str) -> None:
    """Asks for what fits and for what does not."""
    schema = schemathesis.openapi.from_path(document)
    found: dict[str, dict[str, int]] = {}
    taken: dict[str, Any] = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in ("positive", "negative"):
            try:
                strategy = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))
                statuses = ask(url, strategy, taken)
            except schemathesis.errors.InvalidSchema:
                continue
            found[f"{operation.label} {mode}"] = statuses
    sys.stdout.write(json.dumps({"statuses": found, "taken": taken}))


def ask(url: str, strategy: Any, taken: dict[str, Any]) -> dict[str, int]:
    """Asks for the examples of one operation and mode."""
    session = requests.Session()
    session.trust_env = False  # whatever proxy the environment names
    statuses: dict[str, int] = {}

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def check(case: Any) -> None:
        # The shop believes its headers, and its bucket has no place for such a tenant: that is an error of its own.
        assume(all(char >= " " for value in (case.headers or {}).values() for char in str(value)))
        case.body = whole(case.body)
        answer = case.call(base_url=url, session=session)
        statuses[str(answer.status_code)] = statuses.get(str(answer.status_code), 0) + 1
        sent = f"{case.method} {case.path}, path {case.path_parameters}, query {case.query}, headers {case.headers}, "
        sent += f"body {case.body!r:.300}: {answer.status_code} {answer.headers} {answer.text:.300}"
        assert answer.status_code < 500, sent
        (kind,) = answer.headers["content-type"]
        assert kind.partition(";")[0] in {"application/json", "application/problem+json"}, sent
        told = answer.json()
        assert isinstance(told, dict), sent
        if answer.status_code == 202:
            taken[told["order_id"]] = case.body["product"]

    check()
    return statuses


def whole(value: Any) -> Any:
    """Returns JSON with 5 in the place of 5.0, which is an integer to JSON Schema alone."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole(one) for name, one in value.items()}
    return [whole(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main(*sys.argv[1:])
