"""Names of databases and fields: what MongoDB takes for one."""

from __future__ import annotations

# Of a database's name, on any platform of the server (naming restrictions, MongoDB manual).
FORBIDDEN = frozenset('/\\. "$*<>:|?\0')


def has_utf8(name: str) -> bool:
    """Return whether a name has a UTF-8 form; JSON can bring halves of surrogate pairs, which have none."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
