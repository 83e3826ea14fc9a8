"""Dimensions of CloudWatch's metrics: which values they take, and how many."""

from __future__ import annotations

MOST_VALUES = 100  # of one metric, in one line of the embedded metric format
OTHER, NONE = "(other)", "(none)"  # for values beyond those that are told apart, and for no value


def dimension(value: object) -> str:
    """Return the value of a dimension as CloudWatch takes it: ASCII, no colon in front, 1,024 characters at most."""
    text = str(value if value is not None else "").encode("ascii", "backslashreplace").decode().lstrip(": ")[:1024]
    return "".join(char if char.isprintable() else "?" for char in text).strip() or NONE
