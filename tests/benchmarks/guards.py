"""Guards beside what they are made of: a token beside PyJWT's own check, a schema beside the validator."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import process_time
from typing import Any

import jsonschema_rs
import jwt

from router import Event, Resolver
from router.guards import FixedKeys, JsonSchema, Jwt
from router.http.headers import is_json_type
from router.testing import samples
from tests.benchmarks import limits
from tests.benchmarks.candidates import OURS
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved
from tests.benchmarks.warm import asked
from tests.servers.issuer import KEYS, Issuer

PYJWT, VALIDATOR, BY_HAND = "PyJWT alone", "jsonschema-rs alone", "junction, the validator by hand"
LINE = {
    "type": "object",
    "required": ["sku", "count", "price"],
    "properties": {
        "sku": {"type": "string", "pattern": "^[a-z0-9-]+$", "maxLength": 40},
        "count": {"type": "integer", "minimum": 1},
        "price": {"type": "number", "exclusiveMinimum": 0},
    },
}
ORDER = {
    "type": "object",
    "required": ["id", "lines"],
    "properties": {"id": {"type": "string"}, "lines": {"type": "array", "items": LINE, "minItems": 1}},
}
VALUE = {"id": "o-1", "lines": [{"sku": f"tea-{number}", "count": 2, "price": 4.5} for number in range(10)]}


def token(rounds: int) -> Section:
    """A good RS256 token whose key is known already."""
    issuer = Issuer()  # signs; nothing is fetched
    keys, text = issuer.published(KEYS), issuer.token()
    check = Jwt(issuer.url, "orders", keys=FixedKeys(keys))
    key = jwt.PyJWK(keys["keys"][0])

    def bare() -> Any:
        return jwt.decode(
            text,
            key,
            algorithms=["RS256"],
            issuer=issuer.url,
            audience="orders",
            leeway=60,
            options={"require": ["exp", "iss", "aud"]},
        )

    if check.authenticate(text) is None or bare()["sub"] != "ann":
        raise RuntimeError("a good token was refused")
    calls: dict[str, Callable[[], object]] = {OURS: lambda: check.authenticate(text), PYJWT: bare}
    taken = interleaved(calls, rounds=rounds, clock=process_time)
    budget = Budget("a token / PyJWT's decode", Spread.of(ratios(taken, OURS, PYJWT)), limits.TOKEN_OF_PYJWT)
    return Section("token", "Check of an RS256 token, key in memory", _figures(taken, "a token"), [budget])


def schema(rounds: int) -> Section:
    """A POST with an order of ten lines: checked by JsonSchema, and by a handler that asks the validator itself."""
    validator = jsonschema_rs.validator_for(ORDER, pattern_options=jsonschema_rs.RegexOptions())
    raw = samples.http("POST", "/", body=json.dumps(VALUE), headers={"content-type": "application/json"})
    ours, by_hand = Resolver(), Resolver()

    @ours.post("/", middleware=[JsonSchema(ORDER)])
    def take(event: Event) -> dict[str, int]:
        return {"lines": len(event.json()["lines"])}

    @by_hand.post("/")
    def take_by_hand(event: Event) -> Any:
        if not is_json_type(event.headers.get("content-type", "")):  # a page of another site cannot send it
            return {"detail": "it is no JSON"}, 415
        value = event.json()
        if not validator.is_valid(value):
            return {"detail": "it does not fit"}, 422
        return {"lines": len(value["lines"])}

    value = VALUE
    calls: dict[str, Callable[[], object]] = {
        OURS: asked(ours.resolve, raw),
        BY_HAND: asked(by_hand.resolve, raw),
        VALIDATOR: lambda: validator.is_valid(value),
    }
    taken = interleaved(calls, rounds=rounds, clock=process_time)
    figures = _figures({OURS: taken[OURS], BY_HAND: taken[BY_HAND]}, "a request")
    figures += _figures({VALIDATOR: taken[VALIDATOR]}, "a value")
    value_of = Spread.of(ratios(taken, OURS, BY_HAND))
    budget = Budget("POST with JsonSchema / with the validator by hand", value_of, limits.SCHEMA_OF_VALIDATOR)
    return Section("schema", "POST of ten lines, checked by JSON Schema", figures, [budget])


def _figures(taken: dict[str, list[float]], case: str) -> list[Figure]:
    return [Figure(name, case, Spread.of(seconds), "s") for name, seconds in taken.items()]
