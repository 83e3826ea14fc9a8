"""Endpoints of http: for this machine and networks of one's own; elsewhere they have to be asked for."""

from __future__ import annotations

import pytest

from adapters.aws import Settings
from adapters.http import Services
from router import ConfigurationError

OWN = [
    "http://127.0.0.1:4566",
    "http://[::1]:4566",
    "http://localhost:5000",
    "http://LOCALHOST",
    "http://moto:5000",
    "http://10.1.2.3",
    "http://172.17.0.2:4566",
    "http://192.168.1.10:9324",
    "http://169.254.170.2",
    "http://host.docker.internal:4566",
    "http://billing.svc.cluster.local",
    "http://s3.localhost.localstack.cloud:4566",
    "https://example.com",
    "https://8.8.8.8",
]
PUBLIC = [
    "http://example.com",
    "HTTP://example.com",
    "http://sqs.eu-west-1.amazonaws.com",
    "http://8.8.8.8:4566",
    "http://[2606:4700::1111]",
    "http://127.0.0.1.example.com",
    "http://example.com.",
    "http://evil-internal.com",
    "http://user@example.com",
    " http://example.com",
    "\thttp://example.com",
    "ht\ntp://example.com",
    "http://example\u3002com",
    "http://8\uff0e8\uff0e8\uff0e8",
    "http://134744072",
    "http://example.com\\.internal",
]


@pytest.mark.parametrize("url", OWN)
def test_taken(url: str) -> None:
    assert Settings(endpoint=url).endpoint == url
    assert Services({"billing": url}).services == {"billing": url}


@pytest.mark.parametrize("url", PUBLIC)
def test_refused_wherever_it_stands(url: str) -> None:
    for endpoint in (url, {"sqs": url}, {"*": url}):
        with pytest.raises(ConfigurationError, match=r"in clear text; write https://, or plain_http=True"):
            Settings(endpoint=endpoint)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SNS"):
        with pytest.raises(ConfigurationError, match="clear text"):
            Settings.from_env({name: url})
    with pytest.raises(ConfigurationError, match="clear text"):
        Settings().replace(endpoint=url)


@pytest.mark.parametrize("url", [url for url in PUBLIC if "@" not in url])
def test_refused_of_sister_services(url: str) -> None:
    with pytest.raises(ConfigurationError, match="'billing' would send sessions and tokens in clear text"):
        Services({"billing": url})


def test_taken_where_it_was_asked_for() -> None:
    url = "http://example.com"
    assert Settings(endpoint=url, plain_http=True).endpoint == url
    assert Settings.from_env({"AWS_ENDPOINT_URL": url, "JUNCTION_PLAIN_HTTP": "true"}).endpoint == url
    assert Services({"billing": url}, plain_http=True).services == {"billing": url}


@pytest.mark.parametrize("text", ["yes", "1", "on"])
def test_the_variable_is_true_or_false(text: str) -> None:
    with pytest.raises(ConfigurationError, match="JUNCTION_PLAIN_HTTP must be true or false, not"):
        Settings.from_env({"JUNCTION_PLAIN_HTTP": text})


def test_the_setting_is_true_or_false() -> None:
    with pytest.raises(ConfigurationError, match=r"Settings\(plain_http='no'\): give True or False"):
        Settings(plain_http="no")  # type: ignore[arg-type]
