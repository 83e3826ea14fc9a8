"""Webhook: an alert as JSON to a URL, such as an incoming webhook of a chat.

resolver.on_error(Alerts(webhook=Webhook("https://hooks.slack.com/services/...")))
"""

from __future__ import annotations

from urllib.parse import urlsplit

from adapters.errors import AdapterError, ConnectionFailed
from router.durations import seconds
from router.encode import dumps
from router.errors import ConfigurationError
from router.http.headers import check_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from ssl import SSLContext
    from typing import Any
    from urllib.request import Request

    from router.durations import Duration

_LONGEST = 3000  # characters of a text; Slack cuts at 40,000, nobody reads them


def slack_text(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alert as an incoming webhook of Slack takes it; Mattermost, Rocket.Chat and Teams do, too.

    What Slack would take for a mention or a link is escaped: names may come from a client.
    """
    named = {field: value for field, value in alert.items() if field != "error"}
    lines = [f"*{alert.get('error', '')}*", *(f"{field}: {value}" for field, value in named.items())]
    text = "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": text[:_LONGEST]}


class Webhook:
    """Posts alerts to a URL; what `Alerts(webhook=...)` takes.

    url: of https; or a function that returns it, called for each alert, such as one that reads a parameter. It often is
        a secret by itself: it stands in no message, no log and no repr.
    format: makes the body of an alert, anything that JSON can hold; by default `slack_text`.
    headers: further ones, such as Authorization.
    timeout: seconds, or a timedelta, for each step of a call (to connect; to be answered).
    verify: an SSLContext in place of the usual check of certificates.

    A redirect is not followed, and an alert is sent once. The proxy of the environment (HTTPS_PROXY) is used.

    Raises:
        ConfigurationError: the URL is not one of https, or another argument makes no sense.
    """

    def __init__(
        self,
        url: str | Callable[[], str],
        *,
        format: Callable[[Mapping[str, Any]], Any] = slack_text,
        headers: Mapping[str, str] | None = None,
        timeout: Duration = 3,
        verify: SSLContext | None = None,
    ) -> None:
        self._url: Callable[[], str]
        if callable(url):
            self._url = url
        else:
            held = _checked(url)
            self._url = lambda: held
        if not callable(format):
            raise ConfigurationError(f"Webhook(format=...): give a function of the alert, not {type(format).__name__}")
        self._format = format
        self._headers = dict(headers or {})
        for name, value in self._headers.items():
            check_header(name, value)
        self._timeout = seconds(timeout, "Webhook(timeout=...)", least=0.001)
        self._context = verify

    def __repr__(self) -> str:
        return "Webhook(...)"

    def _post(self, alert: Mapping[str, Any]) -> None:
        """Post an alert.

        Raises:
            AdapterError: it was not taken, or nothing answered.
        """
        from urllib.request import Request

        body = dumps(self._format(alert))
        headers = {"content-type": "application/json", "user-agent": "lambda-junction", **self._headers}
        failure = self._failure_of(Request(_checked(self._url()), body, headers, method="POST"))  # noqa: S310 - checked
        if failure is not None:
            raise failure  # not in an except block: the error of urllib holds the URL

    async def _post_async(self, alert: Mapping[str, Any]) -> None:
        """`_post` from async code; it waits in a thread."""
        from asyncio import to_thread

        await to_thread(self._post, alert)

    def _failure_of(self, request: Request) -> AdapterError | None:
        """Send a request, and return why it failed; None where it was taken."""
        from http.client import HTTPException
        from urllib.error import HTTPError

        try:
            with self._opener().open(request, timeout=self._timeout):  # its body is of no interest
                return None
        except HTTPError as error:
            status = error.code
            error.close()
            why = "which is a redirect, and is not followed" if 300 <= status < 400 else "so the alert was not taken"
            return AdapterError(f"webhook: it answered {status}, {why}", service="webhook", code=str(status))
        except (OSError, HTTPException, ValueError) as error:
            what = type(getattr(error, "reason", error)).__name__
            return ConnectionFailed(
                f"webhook: {what}; check its URL, DNS, security groups and timeout", service="webhook", code=what
            )

    def _opener(self) -> Any:
        """Return what sends a request: by https alone, through the proxy of the environment, without redirects."""
        from urllib.request import HTTPDefaultErrorHandler as AsError
        from urllib.request import HTTPErrorProcessor, HTTPSHandler, OpenerDirector, ProxyHandler

        opener = OpenerDirector()
        for handler in (ProxyHandler(), HTTPSHandler(context=self._context), HTTPErrorProcessor(), AsError()):
            opener.add_handler(handler)
        return opener


def _checked(url: Any) -> str:
    """Return the URL of a webhook. Raises ConfigurationError, which does not quote it."""
    try:
        parts = urlsplit(url) if isinstance(url, str) and url.isascii() and url.isprintable() else None
        good = parts is not None and parts.scheme == "https" and parts.hostname and "@" not in parts.netloc
        good = good and " " not in url and (parts is None or parts.port != 0)
    except ValueError:
        good = False
    if not good:
        raise ConfigurationError("Webhook(url=...): give a URL that begins with https://, and holds no user")
    return str(url)
