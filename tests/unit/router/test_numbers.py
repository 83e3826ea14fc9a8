"""Whole numbers over 64 bits, of which orjson makes floats."""

from __future__ import annotations

import pytest

from router.numbers import loads


@pytest.mark.parametrize("digits", [18, 19, 20, 21, 25, 308])
@pytest.mark.parametrize("sign", ["", "-"])
def test_whole_numbers_of_any_length_are_exact(digits: int, sign: str) -> None:
    number = f"{sign}{'1234567890' * 40}"[: digits + len(sign)]
    text = f'{{"a": "x", "n": {number}}}'
    assert loads(text) == loads(text.encode()) == {"a": "x", "n": int(number)}
