"""Measure and cut texts for a picture. Nobody knows its fonts: texts are taken to be as wide as in the widest of them.

Names are in a font of fixed width, of which every letter of ASCII takes one cell; notes are in one without serifs.
"""

from __future__ import annotations

import unicodedata
from itertools import accumulate

from router.contract.interface.reading import identifier

CELL = 0.605  # of the font's size: DejaVu Sans Mono, Menlo and Courier are 0.602, others are less
# Of letters of DejaVu Sans, or of Helvetica where these are wider: no usual font for screens has wider ones.
_WIDTHS = {
    0.3: "ijlI'",
    0.35: " .,:;/\\|f",
    0.42: "rt()[]-!",
    0.53: 'sczJ*_`?"^',
    0.6: "kvxyL",
    0.65: "abdeghnopquFPT0123456789${}",
    0.71: "ABEKRSVXYZ",
    0.79: "CDGHNOQU&",
    0.85: "wM+=<>#~",
    1.0: "mW@%",
}
_OF_LETTERS = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
_NOT_SPACED = ("Mn", "Me")  # marks that stand above or below a letter


def one_line(text: object) -> str:
    """Return a text on one line; signs that nobody can see are as Python writes them, also half a surrogate pair."""
    words = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in words)


def width_of_name(text: str, size: float) -> float:
    """Return how wide a name is at most, in pixels."""
    return sum(map(_cells, text)) * CELL * size


def width_of_note(text: str, size: float) -> float:
    """Return how wide a note is at most, in pixels."""
    return sum(_OF_LETTERS.get(letter) or _cells(letter) * CELL * 1.1 for letter in text) * size


def cut_name(text: str, width: float, size: float) -> str:
    """Return a name that fits: a long one loses its middle, as its end tells it from others."""
    if width_of_name(text, size) <= width:
        return text
    steps = text.split("/")
    for left_out in range(1, len(steps) - 2):  # of a path, steps in the middle
        first = (len(steps) - left_out + 1) // 2
        shorter = "/".join((*steps[:first], "…", *steps[first + left_out :]))
        if width_of_name(shorter, size) <= width:
            return shorter
    room = width - CELL * size
    head = _fitting(text, room * 0.4, size)
    tail = _fitting(text[::-1], room - width_of_name(head, size), size)[::-1]
    return f"{head}…{_without_marks(tail)}"


def cut_note(text: str, width: float, size: float) -> str:
    """Return a note that fits: a long one loses its last words."""
    if width_of_note(text, size) <= width:
        return text
    room = width - size
    ends = accumulate(width_of_note(letter, size) for letter in text)
    held = text[: sum(end <= room for end in ends)]
    word = held.rpartition(" ")[0]
    return f"{(word if len(word) > len(held) // 2 else held).rstrip(' ,.;:')}…"


def _fitting(text: str, room: float, size: float) -> str:
    ends = accumulate(_cells(letter) * CELL * size for letter in text)
    return text[: sum(end <= room for end in ends)]


def _without_marks(text: str) -> str:
    """Return a text that does not begin with what belongs above another letter."""
    while text and unicodedata.category(text[0]) in _NOT_SPACED:
        text = text[1:]
    return text


def _cells(letter: str) -> int:
    if letter.isascii():
        return 1
    if unicodedata.category(letter) in _NOT_SPACED:
        return 0
    return (
        1 if letter < "\u0250" or letter == "…" else 2
    )  # from other fonts, whose letters may be as wide as they are high


class Ids:
    """Makes an id for each key, which no other has.

    prefix: of all of them. No id is a word of Mermaid's, then: `end` ends a group.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._used: set[str] = set()

    def new(self, key: str) -> str:
        """Return an id; the second one of a key, or of one like it, has a number."""
        base = f"{self._prefix}{identifier(key)}"
        found, number = base, 1
        while found in self._used:
            number += 1
            found = f"{base}_{number}"
        self._used.add(found)
        return found
