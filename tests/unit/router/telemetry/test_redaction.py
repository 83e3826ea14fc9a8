"""`Redact`: secrets are taken out by the names of their fields, wherever they stand; the caller's objects stay."""

from __future__ import annotations

import collections
import copy
import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import attrs
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import ConfigurationError, Event, Resolver
from router.telemetry import JsonLines, LogFields, Redact
from router.testing import TestClient

log = logging.getLogger("shop")

SECRET = "s3cr3t"


@dataclass
class Login:
    name: str
    password: str


class Card(pydantic.BaseModel):
    number: str
    brand: str = "visa"


class Open(pydantic.BaseModel, extra="allow"):
    name: str


class Aliased(pydantic.BaseModel):
    word: str = pydantic.Field(alias="password")


Pair = collections.namedtuple("Pair", ["name", "password"])


@pytest.mark.parametrize(
    ("rules", "value", "expected"),
    [
        (["password"], {"password": SECRET, "a": 1}, {"password": "***", "a": 1}),
        (["password"], {"a": [{"b": {"password": {"x": SECRET}}}]}, {"a": [{"b": {"password": "***"}}]}),
        (
            ["api_key"],
            {"API-Key": SECRET, "apiKey": SECRET, "api key": SECRET},
            dict.fromkeys(("API-Key", "apiKey", "api key"), "***"),
        ),
        (["card.number"], {"card": {"number": SECRET}, "number": 7}, {"card": {"number": "***"}, "number": 7}),
        (["card.number"], {"order": {"Card": [{"number": SECRET}]}}, {"order": {"Card": [{"number": "***"}]}}),
        (["card.number"], {"card": {"extra": {"number": 7}}}, {"card": {"extra": {"number": 7}}}),
        (["*.token"], {"token": 7, "a": {"token": SECRET}}, {"token": 7, "a": {"token": "***"}}),
        (["a.*.token"], {"a": {"b": {"token": SECRET}, "token": 7}}, {"a": {"b": {"token": "***"}, "token": 7}}),
        (["*secret*"], {"client_secret_2": SECRET, "secre": 7}, {"client_secret_2": "***", "secre": 7}),
        (["authorization"], [("Authorization", SECRET), ("accept", "x")], [("Authorization", "***"), ("accept", "x")]),
        (["password"], ({"password": SECRET}, 1), ({"password": "***"}, 1)),
        (["password"], Login("ann", SECRET), {"name": "ann", "password": "***"}),
        (["password"], Pair("ann", SECRET), {"name": "ann", "password": "***"}),
        (["card.number"], {"card": Card(number=SECRET)}, {"card": {"number": "***", "brand": "visa"}}),
        (["password"], {"body": '{"password": "s3cr3t", "n": 1}'}, {"body": '{"password":"***","n":1}'}),
        (["password"], {1: {"password": SECRET}, b"x": 2}, {1: {"password": "***"}, b"x": 2}),
        (["password"], {b"password": SECRET}, {b"password": "***"}),
        (["authorization"], [[b"authorization", SECRET.encode()], ("n", 1)], [[b"authorization", "***"], ("n", 1)]),
        (["authorization"], [(b"authorization", SECRET.encode())], [(b"authorization", "***")]),
        (["password"], {"body": b'{"password": "s3cr3t"}'}, {"body": b'{"password":"***"}'}),
        (
            ["card.number"],
            {"req.card.number": SECRET, "card.number": 1},
            {"req.card.number": "***", "card.number": "***"},
        ),
        (["card.number"], {"my.card": {"number": SECRET}}, {"my.card": {"number": "***"}}),
        (["password"], collections.deque([Login("ann", SECRET)]), [{"name": "ann", "password": "***"}]),
    ],
)
def test_values_of_named_fields_are_masked(rules: list[str], value: Any, expected: Any) -> None:
    before = copy.deepcopy(value)
    assert Redact(rules)(value) == expected
    assert value == before


@pytest.mark.parametrize(
    ("rules", "text", "expected"),
    [
        (
            ["password"],
            'got {"password": "s3cr3t", "a": {"b": 1}} from ann',
            'got {"password":"***","a":{"b":1}} from ann',
        ),
        (["card.number"], 'x {"card": {"number": "s3cr3t"}, "number": 7}', 'x {"card":{"number":"***"},"number":7}'),
        (["*.token"], '[1] [{"a": {"token": "s3cr3t"}}]', '[1] [{"a":{"token":"***"}}]'),
        (["password"], f"got {{'password': '{SECRET}', 'a': 1}}", "got {'password': '***', 'a': 1}"),
        (["api_key"], f"got {{'Api-Key': b'{SECRET}'}}", "got {'Api-Key': '***'}"),
        (["pin"], "got {'pin': 1234}", "got {'pin': '***'}"),
        (["codes"], f"got {{'codes': ['{SECRET}', 'b'], 'a': 1}}", "got {'codes': '***', 'a': 1}"),
        (["password"], 'cut {"a": 1, "password": "s3cr3t and mo', 'cut {"a": 1, "password": "***"'),
        (["password"], 'quoted {"password": "a\\"s3cr3t"', 'quoted {"password": "***"'),
        (["*secret"], f"got {{'client_secret': '{SECRET}'}}", "got {'client_secret': '***'}"),
        (["card.number"], f"{{'card': {{'number': '{SECRET}', 'n': 1}}}}", "{'card': {'number': '***', 'n': 1}}"),
        (["card.number"], 'cut {"card": {"number": "s3cr3t"}, "n', 'cut {"card": {"number": "***"}, "n'),
        (["card.number"], '{"card": {"number": "s3cr3t"}, "card": 1}', '{"card": {"number": "***"}, "card": 1}'),
        (["card.number"], "{'number': 7} {'req.card.number': 's3cr3t'}", "{'number': 7} {'req.card.number': '***'}"),
        (
            ["card.number"],
            '[INFO] {"card": {"x": 1}, "a": {"number": 7}}',
            '[INFO] {"card": {"x": 1}, "a": {"number": 7}}',
        ),
        (["*.token"], f"{{'user': {{'token': '{SECRET}'}}}}", "{'user': {'token': '***'}}"),
        (["card"], f"{{'card': {{'a': {{'b': 1}}, 'c': '{SECRET}'}}, 'd': 2}}", "{'card': '***', 'd': 2}"),
        (["codes"], f"{{'codes': [[1], 'a]', '{SECRET}'], 'd': 2}}", "{'codes': '***', 'd': 2}"),
        (["codes"], f"{{'codes': ('a', '{SECRET}')}}", "{'codes': '***'}"),
        (["login"], f"{{'login': {Login('ann', SECRET)}, 'd': 2}}", "{'login': '***', 'd': 2}"),
        (["login"], f"{{'login': <Login {SECRET}>, 'd': 2}}", "{'login': '***', 'd': 2}"),
        (["password"], f"got {Login('ann', SECRET)}", "got Login(name='ann', password=***)"),
        (["token"], f"GET /a?token={SECRET}&n=1 user=ann", "GET /a?token=***&n=1 user=ann"),
        (["authorization"], f"authorization=Bearer {SECRET} user=ann", "authorization=*** user=ann"),
        (["authorization"], f"sent Authorization: bearer  {SECRET}, user=ann", "sent Authorization: ***, user=ann"),
        (["authorization"], f"authorization:Basic {SECRET}\naccept: x", "authorization:***\naccept: x"),
        (["authorization"], f"Authorization: Digest a=1, response={SECRET}\nb", "Authorization: ***\nb"),
        (["authorization"], "no authorization: a token is needed", "no authorization: a token is needed"),
        (
            ["password"],
            f"{ {'body': json.dumps({'Message': json.dumps({'password': SECRET, 'n': 1})})} }",
            r"""{'body': '{"Message": "{\\"password\\": \\"***\\", \\"n\\": 1}"}'}""",
        ),
        (
            ["password"],
            '{"body": "{\\"password\\": \\"s3cr3t\\\\\\" more\\", \\"n\\": 1}", "cu',
            '{"body": "{\\"password\\": \\"***\\", \\"n\\": 1}", "cu',
        ),
        (["pin"], '{"body": "{\\"pin\\": 1234", "n": 1, "cu', '{"body": "{\\"pin\\": \\"***\\"", "n": 1, "cu'),
        (["password"], '{"password": "s3cr3t", "half": "\\ud800"}', '{"password":"***","half":"\\ud800"}'),
    ],
)
def test_secrets_in_texts_are_masked(rules: list[str], text: str, expected: str) -> None:
    assert Redact(rules).text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "no password here",
        'said "password" twice',
        "a [b] {c}",
        '{"passwords": 1}',
        "if password == 'x'",
        "my_password=1",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert Redact(["password"]).text(text) is text


def test_what_has_no_secret_is_the_same_object() -> None:
    value = {"a": [1, {"b": Login("ann", "x")}], "c": {1, 2}}
    assert Redact(["token"])(value) is value


@pytest.mark.parametrize("rule", ["", " ", "*", "*.*", "card.*", "card.", ".number", "--", "?", "a..b"])
def test_a_rule_that_names_no_field_is_refused(rule: str) -> None:
    with pytest.raises(ConfigurationError, match="names no field"):
        Redact(["password", rule])


@pytest.mark.parametrize("rule", ["$.card.number", "items[0].card", "/card/number", ".".join(["a"] * 40), "a.**b.c"])
def test_a_rule_that_can_never_match_is_refused(rule: str) -> None:
    with pytest.raises(ConfigurationError, match=r"can never match|leave out"):
        Redact([rule])


@pytest.mark.parametrize("rules", ["password", [], [None], [7]])
def test_what_is_no_list_of_rules_is_refused(rules: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"a list|name a field|is text"):
        Redact(rules)


def test_another_mask() -> None:
    assert Redact(["a"], mask="[gone]")({"a": 1}) == {"a": "[gone]"}


def test_cycles_depth_and_size_are_bounded() -> None:
    cycle: dict[str, Any] = {"password": SECRET}
    cycle["self"] = cycle
    deep: Any = {"password": SECRET}
    for _ in range(500):
        deep = {"a": deep}
    huge = [{"password": SECRET}] * 50_000
    redact = Redact(["password"])

    started = time.process_time()
    assert redact(cycle) == {"password": "***", "self": "<cycle>"}
    wide = {**{str(number): number for number in range(20_000)}, "last": {"password": SECRET}}
    assert redact(wide)["..."] == "<cut>"
    for value in (deep, huge, {"x": huge}, wide, [[{"password": SECRET}] * 9_000] * 3):
        assert SECRET not in repr(redact(value))
    assert "<cut>" in repr(redact(deep))
    assert len(redact(huge)) <= 10_001
    assert redact.text('{"a": "' + "x" * 2_000_000) == "<cut: 2000007 characters>"
    redact.text("[{" * 200_000)
    redact.text('"password": "' * 50_000)
    redact.text('{"' + "\\" * 300_000)
    assert time.process_time() - started < 5


def test_what_cannot_be_looked_into_does_not_go_into_the_log() -> None:
    class Broken(Mapping[str, str]):
        def __getitem__(self, key: str) -> str:
            raise RuntimeError(SECRET)

        def __iter__(self) -> Iterator[str]:
            return iter(["a"])

        def __len__(self) -> int:
            return 1

    assert Redact(["password"])({"x": Broken()}) == {"x": "<not logged: RuntimeError>"}


def test_what_json_writes_as_a_list_or_a_dict_is_looked_into() -> None:
    class Kept:
        def to_dict(self) -> dict[str, str]:
            return {"password": SECRET}

    assert Redact(["password"])({"a": {"b": Kept()}.values()}) == {"a": [{"password": "***"}]}


def test_classes_of_attrs() -> None:
    login = attrs.make_class("AttrsLogin", ["name", "password"])
    assert Redact(["password"])(login("ann", SECRET)) == {"name": "ann", "password": "***"}


names = st.sampled_from(["password", "Pass-Word", "a", "b", "card"])
values = st.recursive(
    st.sampled_from([1, None, "plain", True]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=20,
)


def planted(value: Any) -> Any:
    """The same with a secret under each name that a rule means."""
    if isinstance(value, dict):
        return {
            name: [SECRET, {"x": SECRET}] if name.lower().replace("-", "") == "password" else planted(held)
            for name, held in value.items()
        }
    if isinstance(value, list):
        return [planted(held) for held in value]
    return tuple(planted(held) for held in value) if isinstance(value, tuple) else value


@given(values)
def test_no_secret_gets_through(value: Any) -> None:
    redact, holding = Redact(["password"]), planted(value)
    before = copy.deepcopy(holding)
    assert SECRET not in repr(redact(holding))
    assert SECRET not in redact.text(f"got {json.dumps(holding)} and {json.dumps([holding])}")
    assert holding == before


class TestLines:
    @pytest.fixture
    def client(self, kept) -> TestClient:
        resolver = Resolver()
        resolver.use(LogFields(redact=["password", "card.number"]))

        @resolver.on_queue("orders")
        def order(event: Event) -> None:
            body = event.json()
            log.info("whole %s", body)
            log.info("named %(password)s %(a)s", body)
            log.info(body)
            log.info("extra", extra={"body": body, "password": SECRET, "card": {"number": SECRET}})
            log.info(event.text)
            log.info("f %s", f"{body}")
            log.info("two %s %s", body, 2)
            assert body == {"password": SECRET, "a": 1}

        return TestClient(resolver)

    def test_secrets_stay_out_of_messages_arguments_and_extras(self, kept, client) -> None:
        assert client.queue("orders", [{"password": SECRET, "a": 1}]) == {"batchItemFailures": []}
        told = [(record.getMessage(), {**vars(record), "exc_text": None}) for record in kept.records]
        assert SECRET not in repr(told)
        assert [text for text, _ in told] == [
            "whole {'password': '***', 'a': 1}",
            "named *** 1",
            "{'password': '***', 'a': 1}",
            "extra",
            '{"password":"***","a":1}',
            "f {'password': '***', 'a': 1}",
            "two {'password': '***', 'a': 1} 2",
        ]
        assert kept.records[2].msg == {"password": "***", "a": 1}

    def test_a_line_without_secrets_keeps_its_template(self, kept) -> None:
        LogFields(redact=["password"]).install()
        log.info("paid %s of %s", 1, {"a": 2})
        assert (kept.records[0].msg, kept.records[0].args) == ("paid %s of %s", (1, {"a": 2}))

    @pytest.mark.parametrize(
        "message",
        [
            ValueError({"password": SECRET}),
            f"{{'password': '{SECRET}'}}".encode(),
            Open.model_validate({"name": "ann", "password": SECRET}),
            [Open.model_validate({"name": "ann", "password": SECRET})],
            Aliased(password=SECRET),
        ],
        ids=["error", "bytes", "undeclared field", "in a list", "alias"],
    )
    @pytest.mark.parametrize("formatter", [logging.Formatter(), JsonLines()], ids=["text", "json"])
    def test_objects_as_messages_arguments_and_extras(
        self, kept, message: object, formatter: logging.Formatter
    ) -> None:
        LogFields(redact=["password", "word"]).install()
        log.info(message)
        log.info("x %s", message)
        log.info("x", extra={"what": message})
        assert SECRET not in "".join(formatter.format(record) for record in kept.records)

    def test_a_field_of_the_event_may_be_masked_too(self, kept) -> None:
        resolver = Resolver()
        resolver.use(LogFields(redact=["event_id"]))

        @resolver.get("/")
        def home() -> None:
            log.info("x")

        TestClient(resolver).get("/")
        assert kept.of("event_id") == ["***"]

    def test_a_message_whose_arguments_do_not_fit_has_no_secret(self) -> None:
        record = logging.makeLogRecord({"msg": f"{{'password': '{SECRET}'}} at 100%", "args": (1,)})
        assert LogFields(redact=["password"]).filter(record) is True
        assert SECRET not in record.msg
        assert "cannot be written" in JsonLines().format(record)

    def test_arguments_that_do_not_fit_are_loggings_affair(self) -> None:
        record = logging.makeLogRecord({"msg": "one %d", "args": ({"password": SECRET}, 2)})
        assert LogFields(redact=["password"]).filter(record) is True
        assert SECRET not in repr(record.args)


class TestErrors:
    """Their texts hold what was wrong: a body, more often than not."""

    def told(self, kept, error: BaseException) -> str:
        LogFields(redact=["password"]).install()
        try:
            raise error
        except BaseException:
            log.exception("failed")
        (record,) = kept.records
        assert record.exc_info is not None
        return logging.Formatter().formatException(record.exc_info)

    def test_a_model_that_refuses_a_body(self, kept) -> None:
        with pytest.raises(pydantic.ValidationError) as refused:
            Card.model_validate({"password": SECRET})
        assert SECRET in str(refused.value)
        text = self.told(kept, refused.value)
        assert SECRET not in text
        assert "'password': '***'" in text
        assert "ValidationError" in text
        assert "in told" in text  # its traceback is there

    def test_one_behind_another_and_in_a_group(self, kept) -> None:
        inner = KeyError({"password": SECRET})
        outer = RuntimeError("outer")
        outer.__cause__ = ExceptionGroup("several", [ValueError("plain"), inner])
        outer.add_note("a note")
        text = self.told(kept, outer)
        assert SECRET not in text
        for part in ("RuntimeError: outer", "a note", "several", "ValueError: plain", "KeyError", "'***'"):
            assert part in text
        assert SECRET in str(inner)

    def test_a_note_and_one_behind_an_error_that_cannot_be_told(self, kept) -> None:
        class Silent(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        inner = ValueError("plain")
        inner.add_note(f"body: {json.dumps({'password': SECRET})}")
        outer = Silent()
        outer.__cause__, inner.__cause__ = inner, ValueError({"password": SECRET})
        text = self.told(kept, outer)
        assert SECRET not in text
        for part in ("Silent", "plain", 'body: {"password":"***"}', "{'password': '***'}"):
            assert part in text

    def test_an_error_without_secrets_is_itself(self, kept) -> None:
        error = ValueError("plain")
        for number in range(20):
            behind, error = error, ValueError(f"plain {number}")
            error.__cause__ = error.__context__ = behind
        self.told(kept, error)
        assert kept.records[0].exc_info[1] is error

    def test_the_librarys_own_line_about_a_failed_record(self, kept) -> None:
        resolver = Resolver()
        resolver.use(LogFields(redact=["password"]))

        @resolver.on_queue("orders")
        def order(event: Event) -> None:
            raise ValueError(f"cannot take {event.json()}")

        TestClient(resolver).queue("orders", [{"password": SECRET}])
        (record,) = kept.records
        assert SECRET not in logging.Formatter().format(record)
        assert "cannot take {'password': '***'}" in record.exc_text

    def test_a_chain_without_end_is_cut(self, kept) -> None:
        first = error = ValueError({"password": SECRET})
        for _ in range(200):
            error.__cause__ = error = ValueError({"password": SECRET})
        text = self.told(kept, first)
        assert SECRET not in text
        assert "<cut>" in text

    def test_an_error_that_cannot_be_told(self, kept) -> None:
        class Silent(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        assert "Silent" in self.told(kept, Silent())


def test_a_line_that_cannot_be_looked_at_fails_nobody_and_says_nothing(kept, monkeypatch: pytest.MonkeyPatch) -> None:
    LogFields(redact=["password"]).install()
    monkeypatch.setattr(Redact, "text", lambda *_: 1 / 0)
    log.info("plain s3cr3t", extra={"body": SECRET})
    (record,) = kept.records
    assert record.getMessage() == "<not logged: ZeroDivisionError>"
    assert SECRET not in repr(vars(record))
