"""Check declarations as AWS would, before anything is deployed."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING

from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn

# What names may be, as the API references of the services say; and in words.
_NAMES = {
    "queue": (r"[A-Za-z0-9_-]{1,75}\.fifo|[A-Za-z0-9_-]{1,80}", "1 to 80 letters, digits, - and _"),
    "topic": (r"[A-Za-z0-9_-]{1,251}\.fifo|[A-Za-z0-9_-]{1,256}", "1 to 256 letters, digits, - and _"),
    "table": (r"[A-Za-z0-9_.-]{3,255}", "3 to 255 letters, digits, -, _ and ."),
    "stream": (r"[A-Za-z0-9_.-]{1,128}", "1 to 128 letters, digits, -, _ and ."),
    "kafka": (r"[A-Za-z0-9_-][A-Za-z0-9_.-]{1,248}", "2 to 249 letters, digits, -, _ and ., no . first"),
    "bucket": (
        r"(?!xn--|sthree-)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]",
        "3 to 63 small letters, digits, - and .",
    ),
    "bus": (r"[A-Za-z0-9_./-]{1,256}", "1 to 256 letters, digits, -, _, . and /"),
    "schedule": (r"[A-Za-z0-9_.-]{1,64}", "1 to 64 letters, digits, -, _ and ."),
    "secret": (r"[A-Za-z0-9/_+=.@!-]{1,512}", "1 to 512 letters, digits and /_+=.@-!"),
    "task": (r"[A-Za-z0-9_-]{1,255}", "1 to 255 letters, digits, - and _"),
    # 64 characters with the name of the stack in front
    "function": (r"[A-Za-z0-9_-]{1,40}", "1 to 40 letters, digits, - and _"),
    "api": (r"[A-Za-z0-9 _.-]{1,128}", "1 to 128 letters, digits, spaces, -, _ and ."),
    "stack": (r"[A-Za-z][A-Za-z0-9-]{0,63}", "a letter, and up to 63 letters, digits and -"),
}
_RATE = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?!1 )[1-9]\d{0,6} (?:minutes|hours|days))\)")
_CRON = re.compile(r"cron\((?:[A-Za-z0-9*?,/#-]+ ){5}[A-Za-z0-9*?,/#-]+\)", re.ASCII)
_AT = re.compile(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)", re.ASCII)
_LONGEST_TEXT = 2048
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)


def refuse(what: object, why: str) -> NoReturn:
    """Raise a ConfigurationError that names a declaration.

    what: the declaration, or how it is called.
    why: what is wrong with it.
    """
    raise refused(what, why)


def refused(what: object, why: str) -> ConfigurationError:
    """Return the error that names a declaration. The arguments are those of `refuse`."""
    if isinstance(what, str):
        return ConfigurationError(f"{printable(what)}: {why}")
    name = printable(str(getattr(what, "name", "") or "..."), 80)
    return ConfigurationError(f"{type(what).__name__}({name}): {why}")


class Faults:
    """Collect what is wrong in several places, so that whoever mends it is told all of it at once."""

    def __init__(self) -> None:
        self._told: list[str] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keep the ConfigurationError of a block, and go on after it."""
        try:
            yield
        except ConfigurationError as error:
            self._told += faults_of(error)

    def refuse(self) -> None:
        """Raise what was collected.

        Raises:
            ConfigurationError: something was wrong; of several faults each has a line that begins with `- `.
        """
        told = list(dict.fromkeys(self._told))
        if len(told) == 1:
            raise ConfigurationError(told[0])
        if told:
            raise ConfigurationError("\n- ".join([f"{len(told)} faults:", *told]))


def faults_of(error: ConfigurationError) -> list[str]:
    """Return each fault that an error tells of, as `Faults` or a stack has put them together."""
    first, *others = str(error).split("\n- ")
    return others or [first]


def printable(text: str, most: int = 200) -> str:
    """Return a text for a message, on one line: signs that cannot be seen as Python writes them, and a long one cut."""
    shown = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text[: most + 1])
    return shown if len(text) <= most else f"{shown[:most]}..."


def check_types(what: Any) -> None:
    """Refuse a declaration with fields of other types; a text in the place of several becomes a tuple of one.

    Integers are left to `check_count` and `check_seconds`.

    Raises:
        ConfigurationError: it names the field.
    """
    for one in fields(what):
        held, kind = getattr(what, one.name), str(one.type)
        if kind == "str" or (kind == "str | bool" and not isinstance(held, bool)):
            _check_text(what, one.name, held)
        elif kind.startswith("bool") and type(held) is not bool and not (held is None and "None" in kind):
            refuse(what, f"{one.name}= takes True or False, not {held!r:.80}")
        elif kind == "tuple[str, ...]":
            several = (held,) if isinstance(held, str) else held
            if not isinstance(several, list | tuple):
                refuse(what, f"{one.name}= takes texts, not {held!r:.80}")
            for text in several:
                _check_text(what, one.name, text)
            object.__setattr__(what, one.name, tuple(several))
        elif kind.startswith("Mapping"):
            _check_mapping(what, one.name, held, kind)


def _check_text(what: object, field: str, held: Any) -> None:
    if not isinstance(held, str) or len(held) > _LONGEST_TEXT or not held.isprintable():
        refuse(what, f"{field}= takes a text of one line and at most {_LONGEST_TEXT:,} characters, not {held!r:.80}")


def _check_mapping(what: object, field: str, held: Any, kind: str) -> None:
    if held is None and "None" in kind:
        return
    texts = kind.startswith("Mapping[str, str]")
    if not hasattr(held, "items") or not all(
        isinstance(name, str) and (isinstance(one, str) or not texts) for name, one in held.items()
    ):
        refuse(what, f"{field}= takes a mapping from texts{' to texts' if texts else ''}, not {held!r:.80}")
    try:
        json.dumps(dict(held))
    except (TypeError, ValueError, RecursionError) as error:
        refuse(what, f"{field}= takes what JSON can hold: {error}")


def check_expression(what: object, expression: str) -> None:
    """Refuse an expression of a schedule that EventBridge does not take.

    Raises:
        ConfigurationError: it says how expressions are written.
    """
    if not any(form.fullmatch(expression) for form in (_RATE, _CRON, _AT)):
        refuse(
            what,
            f"expression= is rate(5 minutes), cron(0 2 * * ? *) with six fields, or at(2030-01-31T12:00:00), not "
            f"{expression!r:.80}",
        )


def check_name(what: object, kind: str, name: Any) -> None:
    """Refuse a name that AWS does not take.

    Raises:
        ConfigurationError: it says which names AWS takes.
    """
    pattern, words = _NAMES[kind]
    if not isinstance(name, str) or not re.fullmatch(pattern, name, re.ASCII):
        refuse(what, f"AWS takes no such name for a {kind}: {name!r:.300}; use {words}")


def check_variable(what: object, variable: Any) -> None:
    """Refuse a name that no environment variable of a function may have; an empty one is none.

    Raises:
        ConfigurationError: it is no name, or one that Lambda keeps for itself.
    """
    if not variable and variable == "":
        return
    if not isinstance(variable, str) or not _VARIABLE.fullmatch(variable):
        refuse(what, f"variable= takes letters, digits and _, a letter first, not {variable!r:.80}")
    if variable.startswith(("AWS_", "LAMBDA_", "_")):
        refuse(what, f"variable={variable!r}: Lambda keeps the names that begin with AWS_ and LAMBDA_")


def check_count(what: object, field: str, value: Any, least: int, most: int) -> None:
    """Refuse what is not an integer between two others.

    Raises:
        ConfigurationError: it names the field.
    """
    if type(value) is not int or not least <= value <= most:
        refuse(what, f"{field}= takes an integer from {least:,} to {most:,}, not {value!r:.80}")


def check_seconds(what: object, field: str, value: Any, least: int, most: int) -> None:
    """Refuse what is not a whole number of seconds between two others.

    Raises:
        ConfigurationError: it names the field.
    """
    if type(value) is not int or not least <= value <= most:
        refuse(what, f"{field}= takes whole seconds, from {least:,} to {most:,}, not {value!r:.80}")
