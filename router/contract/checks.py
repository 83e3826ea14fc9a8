"""Check declarations as AWS would, before anything is deployed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from router.errors import ConfigurationError

if TYPE_CHECKING:
    from typing import Any, NoReturn

# What names may be, as the API references of the services say; and in words.
_NAMES = {
    "queue": (r"[A-Za-z0-9_-]{1,75}\.fifo|[A-Za-z0-9_-]{1,80}", "1 to 80 letters, digits, - and _"),
    "topic": (r"[A-Za-z0-9_-]{1,251}\.fifo|[A-Za-z0-9_-]{1,256}", "1 to 256 letters, digits, - and _"),
    "table": (r"[A-Za-z0-9_.-]{3,255}", "3 to 255 letters, digits, -, _ and ."),
    "stream": (r"[A-Za-z0-9_.-]{1,128}", "1 to 128 letters, digits, -, _ and ."),
    "kafka": (r"[A-Za-z0-9_.-]{1,249}", "1 to 249 letters, digits, -, _ and ."),
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
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)


def refuse(what: object, why: str) -> NoReturn:
    """Raise a ConfigurationError that names a declaration.

    what: the declaration, or how it is called.
    why: what is wrong with it.
    """
    raise refused(what, why)


def refused(what: object, why: str) -> ConfigurationError:
    """Return the error that names a declaration. The arguments are those of `refuse`."""
    name = what if isinstance(what, str) else f"{type(what).__name__}({getattr(what, 'name', '') or '...'!s})"
    return ConfigurationError(f"{name}: {why}")


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
