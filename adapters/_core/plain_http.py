"""Tell hosts that may be called without TLS: this machine, and networks that belong to whoever runs the code."""

from __future__ import annotations

_OWN = (".localhost", ".local", ".internal", ".test", ".localhost.localstack.cloud")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")  # that names of hosts may have in the place of a dot


def is_public_http(url: str) -> bool:
    """Return whether a URL sends what it is given in clear text through networks of others.

    Not public are loopback and private addresses, names without a dot (containers, machines of the own network) and
    names that no public server can have: `*.local`, `*.internal`, `*.test`, `*.localhost`.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)  # it takes no notice of white space in front, as clients do
        host = (parts.hostname or "").translate(_DOTS).rstrip(".")
    except ValueError:
        return False  # no URL at all: whoever uses it says so
    if parts.scheme != "http" or not host:
        return False
    if "\\" in parts.netloc:
        return True  # clients differ in which host that is
    from ipaddress import ip_address

    try:
        address = ip_address(int(host) if host.isascii() and host.isdigit() else host)
    except ValueError:
        return "." in host and not f".{host}".endswith(_OWN)
    return not (address.is_private or address.is_loopback or address.is_link_local)
