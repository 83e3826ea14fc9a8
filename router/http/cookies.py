"""Set-Cookie values, and the dates of headers."""

from __future__ import annotations

from router.errors import ConfigurationError
from router.http.headers import check_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Literal


def cookie(
    name: str,
    value: str,
    max_age: int | None,
    expires: datetime | None,
    path: str | None,
    domain: str | None,
    secure: bool,
    http_only: bool,
    same_site: Literal["Lax", "Strict", "None"] | None,
) -> str:
    """Return the value of a Set-Cookie header; see `Response.set_cookie`.

    max_age: in seconds. expires: an aware datetime.

    Raises:
        ConfigurationError: a part of it cannot be sent, or a browser would drop the cookie.
    """
    check_header(name, value)
    if any(char in ';," \\' or not 0x21 <= ord(char) <= 0x7E for char in value):
        raise ConfigurationError(f"cookie {name}: the value holds characters a cookie cannot; quote or encode it")
    if same_site not in ("Lax", "Strict", "None", None):
        raise ConfigurationError(f"cookie {name}: same_site={same_site!r}; use Lax, Strict, None as a string")
    if same_site == "None" and not secure:
        raise ConfigurationError(f"cookie {name}: browsers drop SameSite=None without Secure")
    parts = [f"{name}={value}"]
    if max_age is not None:
        parts.append(f"Max-Age={int(max_age)}")
    if expires is not None:
        parts.append(f"Expires={http_date(expires)}")
    for label, held in (("Domain", domain), ("Path", path)):
        if held is not None:
            check_header("set-cookie", held)
            if ";" in held:
                raise ConfigurationError(f"cookie {name}: {label} {held!r} holds a semicolon")
            parts.append(f"{label}={held}")
    if secure:
        parts.append("Secure")
    if http_only:
        parts.append("HttpOnly")
    if same_site is not None:
        parts.append(f"SameSite={same_site}")
    return "; ".join(parts)


def http_date(moment: datetime) -> str:
    """Return a moment as headers write it (RFC 9110 §5.6.7). Raises ConfigurationError where it has no time zone."""
    from datetime import UTC
    from email.utils import format_datetime

    if moment.tzinfo is None:
        raise ConfigurationError("give an aware datetime, such as datetime.now(UTC)")
    return format_datetime(moment.astimezone(UTC), usegmt=True)
