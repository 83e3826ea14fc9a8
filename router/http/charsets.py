"""The character sets that a content type may declare, and text in them. Loaded when a body declares one."""

from __future__ import annotations

import re

from router.errors import UnsupportedMediaType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.event import Event

# As Python names them. Only character sets: Python knows many other codecs, and some take quadratic time.
_KNOWN = frozenset(
    (
        *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "ascii"),
        *("iso8859-1", *(f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16))),
        *(f"cp{page}" for page in (437, 850, 852, 855, 866, 874, 932, 949, 950, *range(1250, 1259))),
        *("koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "tis-620"),
        *("shift_jis", "euc_jp", "iso2022_jp", "euc_kr", "gb2312", "gbk", "gb18030", "big5", "big5hkscs"),
    )
)
_CHARSET = re.compile(r"""charset[ \t]*=[ \t]*(?:"([^"\\]*)"|([^\s";,]+))""", re.IGNORECASE)


def known(label: str) -> str | None:
    """Return Python's name of a character set; None for one that is not known."""
    import codecs

    try:
        name = codecs.lookup(label).name if label.isascii() and len(label) <= 40 else ""
    except (LookupError, ValueError):
        return None
    return name if name in _KNOWN else None


def declared_in(content_type: str) -> str | None:
    """Return the label of the character set in a content type; None where it names none."""
    found = _CHARSET.search(content_type.partition(";")[2])
    return None if found is None else (found[1] or found[2] or None)


def charset_of(event: Event, content_type: str) -> str:
    """Return Python's name of the character set of a body, utf-8 where none is declared; an unknown one is a 415."""
    label = declared_in(content_type)
    name = "utf-8" if label is None else known(label)
    if name is None:
        message = f"the character set {str(label)[:40]!r} is not known"
        if event._speaks_http:
            raise UnsupportedMediaType(message)
        event._refuse(message)
    return name


def text_in(event: Event, content_type: str) -> str:
    """Return the body of an event as text in the character set that its content type declares."""
    name = charset_of(event, content_type)
    try:
        return event.body.decode(name)
    except UnicodeDecodeError as error:
        event._refuse(f"the body is not {'UTF-8' if name == 'utf-8' else name} (byte {error.start})")
