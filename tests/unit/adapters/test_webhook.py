"""Webhooks: alerts that a server of the test takes over TLS, and what never gets out beside them."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from adapters.alerts import Alerts
from adapters.webhook import Webhook, slack_text
from router import AppError, ConfigurationError, Resolver
from router.testing import TestClient

SECRET_PATH = "/services/T000/B000/s3cr3t"


class Hook:
    """A server that keeps what it is sent, and answers as it is told."""

    def __init__(self, certificate: Path) -> None:
        self.taken: list[tuple[str, dict[str, str], Any]] = []
        self.status = 200
        self.location = ""
        self.held = threading.Event()
        self.held.set()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                hook.taken.append((self.path, headers, json.loads(body)))
                hook.held.wait(10)
                self.send_response(hook.status)
                if hook.location:
                    self.send_header("location", hook.location)
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - as the server calls it

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}{SECRET_PATH}"
        self.trust = ssl.create_default_context(cafile=str(certificate))
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def alerts(self, **options: Any) -> Alerts:
        webhook = Webhook(options.pop("url", self.url), verify=self.trust, **options.pop("webhook", {}))
        return Alerts(**{"every": 0, "webhook": webhook, **options})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def hook(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    made = Hook(certificate)
    try:
        yield made
    finally:
        made.held.set()
        made.server.shutdown()
        made.server.server_close()


def failing(alert: Alerts, error: Exception, is_async: bool = False) -> Resolver:
    resolver = Resolver()
    resolver.on_error(alert)

    def handler() -> None:
        raise error

    async def handler_async() -> None:
        raise error

    resolver.get("/orders/{id}")(handler_async if is_async else handler)
    return resolver


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
class TestPosted:
    def test_an_alert_says_what_failed_and_nothing_of_the_request(self, hook: Hook, is_async: bool) -> None:
        resolver = failing(hook.alerts(service="shop"), ValueError("hunter2"), is_async)
        answer = TestClient(resolver).get("/orders/4711?card=4111", headers={"authorization": "Bearer t0ken"})
        assert answer.status == 500
        [(path, headers, body)] = hook.taken
        assert path == SECRET_PATH
        assert headers["content-type"] == "application/json"
        assert body["text"].splitlines()[0] == "*builtins.ValueError*"
        assert {"service: shop", "route: GET /orders/{id}"} <= set(body["text"].splitlines())
        for secret in ("hunter2", "4711", "4111", "t0ken", "Traceback"):
            assert secret not in json.dumps([headers, body])

    @pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 500])
    def test_one_that_is_not_taken_is_logged_without_the_url(
        self, hook: Hook, is_async: bool, status: int, caplog: Any
    ) -> None:
        caplog.set_level(logging.DEBUG)
        hook.status, hook.location = status, f"{hook.url}/elsewhere" if status < 400 else ""
        assert TestClient(failing(hook.alerts(), ValueError("x"), is_async)).get("/orders/1").status == 500
        assert len(hook.taken) == 1  # neither followed nor sent again
        assert "an alert could not be sent" in caplog.text
        assert f"it answered {status}" in caplog.text
        assert "s3cr3t" not in caplog.text

    def test_a_server_that_does_not_answer_is_given_up(self, hook: Hook, is_async: bool, caplog: Any) -> None:
        hook.held.clear()
        alerts = hook.alerts(webhook={"timeout": 0.2})
        assert TestClient(failing(alerts, ValueError("x"), is_async)).get("/orders/1").status == 500
        assert "webhook: TimeoutError" in caplog.text
        assert "s3cr3t" not in caplog.text

    def test_a_server_that_is_gone(self, hook: Hook, is_async: bool, caplog: Any) -> None:
        hook.server.server_close()
        assert TestClient(failing(hook.alerts(), ValueError("x"), is_async)).get("/orders/1").status == 500
        assert "an alert could not be sent" in caplog.text
        assert "s3cr3t" not in caplog.text

    def test_one_whose_certificate_nobody_vouches_for_gets_nothing(
        self, hook: Hook, is_async: bool, caplog: Any
    ) -> None:
        alerts = Alerts(webhook=hook.url, every=0)
        assert TestClient(failing(alerts, ValueError("x"), is_async)).get("/orders/1").status == 500
        assert hook.taken == []
        assert "SSLCertVerificationError" in caplog.text


def test_the_body_is_what_a_function_makes(hook: Hook) -> None:
    webhook = {"format": lambda alert: {"summary": alert["error"], "codes": alert["codes"]}, "headers": {"x-key": "k"}}
    hook.alerts(webhook=webhook)(AppError("B00001", "hunter2"))
    [(_, headers, body)] = hook.taken
    assert body == {"summary": "router.errors.AppError", "codes": ["B00001"]}
    assert headers["x-key"] == "k"


def test_a_function_that_fails_is_logged(hook: Hook, caplog: Any) -> None:
    hook.alerts(webhook={"format": lambda alert: alert["unknown"]})(ValueError("x"))
    hook.alerts(webhook={"format": lambda alert: object()})(ValueError("x"))
    assert hook.taken == []
    assert caplog.text.count("an alert could not be sent") == 2


def test_the_url_may_come_from_elsewhere(hook: Hook, caplog: Any) -> None:
    urls = iter([hook.url, "http://plain.example/s3cr3t"])
    alerts = hook.alerts(url=lambda: next(urls))
    alerts(ValueError("x"))
    alerts(ValueError("x"))
    assert len(hook.taken) == 1
    assert "https://" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_under_a_sync_handler_on_a_running_loop(hook: Hook) -> None:
    resolver = failing(hook.alerts(), ValueError("x"))
    from router.testing import samples

    answer = asyncio.run(resolver.resolve_async(samples.rest("GET", "/orders/1")))
    assert answer["statusCode"] == 500
    assert len(hook.taken) == 1


def test_message_and_traceback_where_the_application_asks(hook: Hook) -> None:
    hook.alerts(message=True, traceback=True, webhook={"format": dict})(ValueError("x" * 20_000))
    [(_, _, body)] = hook.taken
    assert body["message"] == "x" * 8000
    assert len(body["traceback"]) == 8000


def test_nobody_is_called_by_a_name_that_a_client_chose() -> None:
    text = slack_text({"error": "E", "name": "<!channel> & <https://evil.example|here>"})["text"]
    assert text == "*E*\nname: &lt;!channel&gt; &amp; &lt;https://evil.example|here&gt;"
    assert len(slack_text({"error": "x" * 99_999})["text"]) == 3000


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example/s3cr3t", "hooks.example/s3cr3t", "https://", "ftp://a/s3cr3t", "https://u:s3cr3t@a/b", 7,
     "https://a b/s3cr3t", "https://a\n/s3cr3t", "https://a:x/s3cr3t", "https://[::1/s3cr3t", "file:///etc/s3cr3t"],
)  # fmt: skip
def test_only_https_is_taken_and_no_url_is_told(url: Any) -> None:
    with pytest.raises(ConfigurationError, match="https://") as raised:
        Alerts(webhook=url)
    assert "s3cr3t" not in str(raised.value)
    assert "s3cr3t" not in repr(Webhook("https://a/s3cr3t"))


@pytest.mark.parametrize("options", [{"format": 7}, {"headers": {"x": "a\r\nb: c"}}, {"timeout": 0}])
def test_what_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Webhook("https://hooks.example", **options)


def test_a_proxy_of_the_environment_is_used(hook: Hook, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    with DeadPort() as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy}")
        monkeypatch.setenv("no_proxy", "")
        hook.alerts()(ValueError("x"))
    assert hook.taken == []
    assert "an alert could not be sent" in caplog.text


class DeadPort:
    """A port on which nothing listens."""

    def __enter__(self) -> int:
        import socket

        self.held = socket.socket()
        self.held.bind(("127.0.0.1", 0))
        return int(self.held.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self.held.close()
