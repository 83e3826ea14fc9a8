"""`python fuzz.py URL PATH`: asks a route for what schemathesis makes of its document.

It raises AssertionError where what fits is refused, or what does not is taken, or refused without its place. It runs in
an environment of its own, makes the same requests each time, and prints how often there was each status.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

EXAMPLES = 30
USUAL = {"limit": 1, "full": True, "sort": "asc"}


def main(url: str, path: str) -> None:
    """Asks for what fits and for what does not."""
    print(json.dumps({mode: ask(url, path, mode) for mode in ("positive", "negative")}))


def ask(url: str, path: str, mode: str) -> dict[int, int]:
    """Asks for the examples of one mode; raises AssertionError with the first that is answered wrongly."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    strategy = schema[path]["POST"].as_strategy(generation_mode=schemathesis.GenerationMode(mode))
    session = requests.Session()
    session.trust_env = False  # whatever proxy the environment names
    statuses: dict[int, int] = {}

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
        if path != "/schemas":
            case.body = whole(case.body)
        answer = case.call(base_url=url, session=session)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        sent = f"query {case.query}, headers {case.headers}, body {case.body!r}: {answer.status_code} {answer.text}"
        if mode == "positive":
            assert answer.status_code == 200, sent
        elif answer.status_code != 200 or is_wrong(case):
            check_refusal(case, answer, sent)

    check()
    return statuses


def whole(value: Any) -> Any:
    """Returns JSON with 5 in the place of 5.0, which is an integer to JSON Schema alone."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole(one) for name, one in value.items()}
    return [whole(one) for one in value] if isinstance(value, list) else value


def is_wrong(case: Any) -> bool:
    """Whether it is sure that a request does not fit: to schemathesis parameters that nobody names are wrong, too."""
    components = {location.value: info.mode.value for location, info in case.meta.components.items()}
    limit, full, sort = (str(last((case.query or {}).get(name, usual))) for name, usual in USUAL.items())
    return (
        components.get("body") == "negative"
        or re.fullmatch("[A-Za-z0-9]{8,30}", str(token(case))) is None
        or re.fullmatch("[1-9][0-9]?|100", limit) is None
        or full.lower() not in {"true", "false", "1", "0"}
        or sort not in {"asc", "desc"}
    )


def last(value: Any) -> Any:
    """Returns the value of a parameter that counts."""
    return value[-1] if isinstance(value, list) and value else value


def check_refusal(case: Any, answer: Any, sent: str) -> None:
    """Raises AssertionError where an answer to what does not fit is none, or says too little or too much."""
    assert answer.status_code in {400, 415, 422}, sent
    assert answer.headers["content-type"] == ["application/problem+json"], sent
    problem = answer.json()
    assert problem["status"] == answer.status_code, sent
    for secret in secrets(case):
        assert secret not in answer.text, f"{secret} is in the answer; {sent}"
    if answer.status_code == 422:
        assert problem["errors"], sent
        for error in problem["errors"]:
            assert error["at"].partition(".")[0].partition("[")[0] in {"body", "query", "header"}, sent
            assert error["message"], sent


def secrets(case: Any) -> list[str]:
    """Returns what was sent as a token or a password, where it is long enough to be told from other text."""
    password = case.body.get("password") if isinstance(case.body, dict) else None
    texts = [one if isinstance(one, str) else json.dumps(one, default=str) for one in (password, token(case))]
    return [text for text in texts if len(text) >= 6]


def token(case: Any) -> Any:
    """Returns the token that was sent."""
    return next((value for name, value in (case.headers or {}).items() if name.lower() == "x-token"), None)


if __name__ == "__main__":
    main(*sys.argv[1:])
