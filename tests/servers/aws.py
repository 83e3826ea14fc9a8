"""boto3 clients of the local servers that speak an AWS protocol."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from tests.servers.process import Server

REGION = "eu-west-1"
ACCESS_KEY_ID = "testing"
SECRET_ACCESS_KEY = "testing"

# Any: the type stubs know services by their literal names alone.
_session: Any = boto3.Session(
    aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=REGION
)


def client(service: str, url: str, *, region: str = REGION) -> Any:
    """A real boto3 client of `service` at `url`, whatever the environment says of regions and credentials."""
    return _session.client(
        service,
        region_name=region,
        endpoint_url=url,
        # A proxy from the environment has no way to this machine's loopback address.
        config=Config(connect_timeout=5, read_timeout=30, proxies={}),
    )


def environment(url: str) -> dict[str, str]:
    """The environment variables with which a process of its own finds the server at `url` and no other account."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class AwsServer(Server):
    """A server that answers boto3."""

    def client(self, service: str) -> Any:
        """A real boto3 client of `service`, with made-up credentials, that talks to this server."""
        return client(service, self.url)

    def environment(self) -> dict[str, str]:
        """The environment variables with which another process talks to this server."""
        return environment(self.url)
