"""Tell hosts that may be called without TLS: this machine, and networks that belong to whoever runs the code."""

from __future__ import annotations

_OWN = (".localhost", ".local", ".internal", ".test", ".localhost.localstack.cloud")


def is_public_http(url: str) -> bool:
    """Return whether a URL sends what it is given in clear text through networks of others.

    Not public are loopback and private addresses, names without a dot (containers, machines of the own network) and
    names that no public server can have: `*.local`, `*.internal`, `*.test`, `*.localhost`.
    """
    if not url.lower().startswith("http://"):
        return False
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False  # no URL at all: whoever uses it says so
    try:
        address = ip_address(host)
    except ValueError:
        return "." in host and not f".{host}".endswith(_OWN)
    return not (address.is_private or address.is_loopback or address.is_link_local)
