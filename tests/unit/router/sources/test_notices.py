"""Mails of SES, pushes of CodeCommit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import SESEvent
from hypothesis import given
from hypothesis import strategies as st

from router.errors import ConfigurationError, InvalidEvent
from router.event import Source
from router.sources._registry import ROWS
from router.testing import samples
from tests.unit.router.sources.payload_cases import FUZZ, mutations, real
from tests.unit.router.sources.record_cases import (
    agree_with_labels,
    answer,
    one,
    outcome,
    read,
    stays_within_our_errors,
)

NOON = datetime(2024, 5, 4, 12, tzinfo=UTC)
MAIL = samples.ses(["Orders@Example.com", "sales@example.com"], timestamp=NOON)
PUSH = samples.codecommit("orders", timestamp=NOON)


def mail(**parts: Any) -> Any:
    raw = samples.ses(["orders@example.com"])
    for name, value in parts.items():
        raw["Records"][0]["ses"][name] = value
    return raw


def test_every_real_payload_is_read_as_its_label_says() -> None:
    agree_with_labels(Source.SES, Source.CODECOMMIT)


def test_real_payloads_agree_with_powertools() -> None:
    for file, raw, _ in real(Source.SES):
        event, theirs = one(Source.SES, raw), SESEvent(raw)
        assert event.id == theirs.mail.message_id, file
        assert event.name == theirs.receipt.recipients[0], file
        assert event.json() == raw["Records"][0]["ses"], file


def test_a_mail_is_named_by_its_first_recipient() -> None:
    event = one(Source.SES, MAIL)
    assert event.name == "orders@example.com"
    assert event.id == MAIL["Records"][0]["ses"]["mail"]["messageId"]
    assert event.json()["receipt"]["recipients"] == ["Orders@Example.com", "sales@example.com"]
    assert event.timestamp == NOON
    assert event.session.tenant is None


def test_a_mail_whose_receipt_names_nobody_is_named_by_its_destination() -> None:
    raw = mail(receipt={})
    raw["Records"][0]["ses"]["mail"]["destination"] = ["a@example.com"]
    assert one(Source.SES, raw).name == "a@example.com"


@pytest.mark.parametrize("recipients", [[], [5], "a@example.com", {"a": 1}])
def test_a_mail_to_nobody_has_no_name(recipients: Any) -> None:
    event = one(Source.SES, mail(receipt={"recipients": recipients}, mail={"destination": None}))
    with pytest.raises(
        InvalidEvent, match=r"^ses Records\[0\]\.ses\.receipt\.recipients: must be a list of addresses$"
    ):
        _ = event.name


def test_a_record_without_a_mail_is_named() -> None:
    event = one(Source.SES, {"Records": [{"eventSource": "aws:ses", "ses": []}]})
    with pytest.raises(InvalidEvent, match=r"^ses Records\[0\]\.ses: must be an object, not a list$"):
        event.json()
    with pytest.raises(InvalidEvent, match=r"ses\.mail\.messageId: must be text"):
        _ = event.id


@pytest.mark.parametrize(
    ("result", "answered"),
    [
        ({"disposition": "STOP_RULE"}, {"disposition": "STOP_RULE"}),
        ({"disposition": "STOP_RULE_SET", "more": 1}, {"disposition": "STOP_RULE_SET"}),
        ("CONTINUE", {"disposition": "CONTINUE"}),
        (None, None),
        ("stored", None),
        ({"stored": True}, None),
    ],
)
def test_a_handler_decides_what_becomes_of_the_mail(result: Any, answered: Any) -> None:
    assert answer(Source.SES, MAIL, outcome(result)) == answered


def test_a_decision_that_ses_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="disposition 'STOP': SES knows CONTINUE, STOP_RULE, STOP_RULE_SET"):
        answer(Source.SES, MAIL, outcome({"disposition": "STOP"}))


def test_a_push_is_named_by_its_repository() -> None:
    event = one(Source.CODECOMMIT, PUSH)
    record = PUSH["Records"][0]
    assert (event.name, event.id, event.change) == ("orders", record["eventId"], record["eventName"])
    assert event.json() == record
    assert event.timestamp == NOON
    assert answer(Source.CODECOMMIT, PUSH, outcome({"disposition": "STOP"})) is None


@pytest.mark.parametrize(("key", "field"), [("eventSourceARN", "name"), ("eventId", "id"), ("eventName", "change")])
def test_a_malformed_push_is_named(key: str, field: str) -> None:
    raw = {"Records": [{**PUSH["Records"][0], key: 5}]}
    with pytest.raises(InvalidEvent, match=rf"^codecommit Records\[0\]\.{key}: must be text, not a whole number$"):
        getattr(one(Source.CODECOMMIT, raw), field)


def test_records_that_are_none_fail_the_call() -> None:
    with pytest.raises(InvalidEvent, match=r"^ses Records\[0\]: must be an object, not null or missing$"):
        read(Source.SES, {"Records": [None]})


def test_the_call_succeeds_or_fails_as_a_whole() -> None:
    assert ROWS[Source.SES].kind == ROWS[Source.CODECOMMIT].kind == "notify"


@FUZZ
@given(mutations([MAIL, *(raw for _, raw, _ in real(Source.SES))]), st.data())
def test_mutations_of_mails_raise_our_errors_alone(raw: Any, data: st.DataObject) -> None:
    stays_within_our_errors(Source.SES, raw, data)


@FUZZ
@given(mutations([PUSH]), st.data())
def test_mutations_of_pushes_raise_our_errors_alone(raw: Any, data: st.DataObject) -> None:
    stays_within_our_errors(Source.CODECOMMIT, raw, data)
