"""docs/security.md is true: its table is current, and each sentence names a test that exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from router import Resolver, Session, SessionPolicy, Signing, Source
from router.testing import TestClient, samples
from scripts import security_table

ROOT = Path(__file__).resolve().parents[3]
PAGE = security_table.PAGE.read_text("utf-8")
SECTIONS = {text.partition("\n")[0]: text for text in PAGE.split("\n## ")[1:]}
POLICY = SessionPolicy(signing=Signing("the key of this application, 32 bytes at least"))


@pytest.mark.parametrize("source", Source)
def test_somebody_has_said_who_writes_the_payload(source: Source) -> None:
    assert source.value in security_table.WRITERS, (
        f"{source.value}: say in WRITERS of scripts/security_table.py who writes its payload, what AWS vouches for and "
        "which places a client writes; then run python -m scripts.security_table"
    )


def test_the_table_of_writers_is_what_the_registry_says() -> None:
    assert set(security_table.WRITERS) <= {source.value for source in Source}, "WRITERS has a source that is gone"
    assert security_table.with_table(PAGE) == PAGE, "run python -m scripts.security_table"


def test_every_test_that_the_page_names_exists() -> None:
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"def (test_\w+)\(", tests))
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 40
    assert named <= defined, f"docs/security.md names tests that are gone: {sorted(named - defined)}"


@pytest.mark.parametrize("title", [title for title, text in SECTIONS.items() if "\nTests: " in text])
def test_each_number_of_a_section_has_its_test(title: str) -> None:
    said, _, listed = SECTIONS[title].partition("\nTests: ")
    numbers = re.findall(r"\[(\d+)\]", said)
    assert numbers == [str(number + 1) for number in range(len(numbers))], "numbers stand in order"
    assert re.findall(r"\[(\d+)\] `test_", listed) == numbers, f"{title}: what it lists is not what it says"
    for claim in re.split(r"\n- ", said)[1:]:
        assert re.search(r"\[\d+\]", claim), f"{title}: no test holds this: {claim}"


GUARDS = re.findall(r"^\| (.+?) \| (.+?) \| (.*?) \|$", SECTIONS["What guards hold"], re.MULTILINE)[2:]


@pytest.mark.parametrize(("guard", "rule", "tests"), GUARDS)
def test_each_rule_of_a_guard_names_its_tests(guard: str, rule: str, tests: str) -> None:
    assert re.fullmatch(r"`test_\w+`(, `test_\w+`)*", tests), f"{guard}: no test holds this: {rule}"


def test_every_guard_has_its_rules() -> None:
    told = " ".join(guard for guard, _, _ in GUARDS).lower()
    words = "authentication jwt tokens permissions schema idempotency rate body cors time circuit"
    assert [word for word in words.split() if word not in told] == []


# ---- what the page says and no other test holds --------------------------------------------------------------------


def test_a_partner_cannot_write_a_session() -> None:
    seen: list[tuple[Session, str | None]] = []
    evil = {"metadata": {"session": {"tenant": "evil"}}}
    for source, expected in (("shop", "evil"), ("aws.partner/example.com/a", None), ("aws.s3", None)):
        resolver = Resolver()
        resolver.on_bus("Changed")(lambda event, seen=seen: seen.append((event.session, event._ignored)))
        TestClient(resolver).event(samples.eventbridge("Changed", evil, source=source))
        session, ignored = seen.pop()
        assert session.tenant == expected, source
        assert (ignored is None) is (expected is not None)
    signed = {"metadata": {"session": json.loads(POLICY.issue(Session("acme")))}}
    resolver = Resolver(session=POLICY)
    resolver.on_bus("Changed")(lambda event, seen=seen: seen.append((event.session, None)))
    TestClient(resolver).event(samples.eventbridge("Changed", signed, source="aws.partner/example.com/a"))
    assert seen.pop()[0].tenant == "acme"


def delivered(*bodies: str, session: str | None) -> tuple[list[tuple[str | None, str]], int]:
    """Who the handler of a queue runs for and with which body; and how many messages come again."""
    seen: list[tuple[str | None, str]] = []
    resolver = Resolver(session=POLICY)
    resolver.on_queue("jobs")(lambda event: seen.append((event.session.tenant, event.text)))
    failures = TestClient(resolver).queue("jobs", bodies, session=session)["batchItemFailures"]
    return seen, len(failures)


def test_a_signed_session_is_taken_again() -> None:
    wire = POLICY.issue(Session("acme"))
    assert delivered("a", "a", session=wire) == ([("acme", "a"), ("acme", "a")], 0)
    assert delivered("a", session=wire) == ([("acme", "a")], 0)


def test_a_signature_says_nothing_of_the_body() -> None:
    wire = POLICY.issue(Session("acme"))
    assert delivered("pay 1", "pay 1000", session=wire) == ([("acme", "pay 1"), ("acme", "pay 1000")], 0)


def test_a_signed_session_can_be_read() -> None:
    assert json.loads(json.loads(POLICY.issue(Session("acme", "ann")))["payload"]) == {"tenant": "acme", "user": "ann"}


def test_signing_alone_asks_for_no_session() -> None:
    assert delivered("a", session=None) == ([(None, "a")], 0)
