"""`python fuzz_openapi.py URL DOCUMENT TOKEN [exact]`: asks an application for what schemathesis makes of its document.

It prints what does not fit, by operation: an answer of 500 and more, or one that the document does not know by status,
media type, header or schema; and how often there was each status, by operation and mode. With `exact`, what fits the
document must also be taken. It runs in an environment of its own, and makes the same requests each time.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS, load_all_checks

EXAMPLES = 20
FITS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def main(url: str, document: str, token: str, exact: str = "") -> None:
    """Asks for what fits and for what does not."""
    load_all_checks()
    schema = schemathesis.openapi.from_path(document)
    statuses: dict[str, dict[str, int]] = {}
    faults: dict[str, str] = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in ("positive", "negative"):
            name = f"{operation.label} {mode}"
            strategy = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))
            try:
                statuses[name] = ask(url, strategy, token, refused=mode == "negative" or not exact)
            except (schemathesis.errors.InvalidSchema, Unsatisfiable):
                continue  # nothing that it takes can be wrong
            except (Exception, BaseExceptionGroup) as error:  # the first that does not fit, made as small as it can be
                told = [*map(str, getattr(error, "exceptions", ())), str(error), *getattr(error, "__notes__", ())]
                faults[name] = "\n".join(told)[:3000]
    sys.stdout.write(json.dumps({"statuses": statuses, "faults": faults}))


def ask(url: str, strategy: Any, token: str, *, refused: bool) -> dict[str, int]:
    """Asks for the examples of one operation and mode; refused: whether they may be."""
    session = requests.Session()
    session.trust_env = False  # whatever proxy the environment names
    checks = CHECKS.get_by_names(FITS)
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
        case.body = whole(case.body)
        headers = {"authorization": f"Bearer {token}"}
        answer = case.call(base_url=url, session=session, headers=headers)
        statuses[str(answer.status_code)] = statuses.get(str(answer.status_code), 0) + 1
        try:
            case.validate_response(answer, checks=checks)
            assert refused or answer.status_code not in (400, 401, 415, 422), answer.text
        except BaseException as error:
            error.add_note(
                f"path {case.path_parameters}, query {case.query}, headers {case.headers}, cookies {case.cookies}, "
                f"body {case.body!r:.500}: {answer.status_code} {answer.headers} {answer.text:.500}"
            )
            raise

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
