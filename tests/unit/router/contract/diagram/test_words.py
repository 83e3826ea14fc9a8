"""Texts that fit: names lose their middle, notes their end, and ids are never two things' or a word of Mermaid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contract.diagram.words import Ids, cut_name, cut_note, one_line, width_of_name, width_of_note


@given(st.text(), st.floats(40, 400))
def test_what_is_cut_fits(text: str, width: float) -> None:
    shown = one_line(text)
    assert width_of_name(cut_name(shown, width, 12.5), 12.5) <= width
    assert width_of_note(cut_note(shown, width, 11), 11) <= width


@given(st.text())
def test_a_line_has_nothing_that_cannot_be_seen(text: str) -> None:
    assert one_line(text).isprintable()
    assert one_line(text) == one_line(one_line(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/orders/{order_id}", "/orders/{order_id}"),
        ("/orders/{order_id}/documents/{document_id}/approvals", "/orders/…/approvals"),
        ("a_handler_whose_name_nobody_could_ever_remember", "a_handler…d_ever_remember"),
    ],
)
def test_a_name_keeps_its_ends_and_a_path_whole_steps(text: str, shown: str) -> None:
    assert cut_name(text, 190, 12.5) == shown


def test_a_note_ends_after_a_whole_word() -> None:
    assert cut_note("Say how to upload a price list, and where", 190, 11) == "Say how to upload a price…"


def test_marks_do_not_stand_alone_after_a_cut() -> None:
    assert "…\u0301" not in cut_name("e\u0301" * 200, 190, 12.5)


def test_ids_differ_where_names_do_not() -> None:
    ids = Ids("r_")
    assert [ids.new(key) for key in ("end", "a b", "a-b", "注文", "заказ")] == [
        "r_end",
        "r_a_b",
        "r_a_b_2",
        "r__",
        "r___2",
    ]
