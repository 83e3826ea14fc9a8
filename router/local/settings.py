"""`Settings`: everything that the command line says about a local run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "000000000000"
REGION = "us-east-1"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold the settings of a local run.

    application: `package.module:resolver`, or `package.module:stack`.
    folder: where the application is imported from, and what is watched.
    host: the address that is listened to.
    port: of the application and the console; 0 for any that is free.
    aws_port: of the emulator of AWS; 0 for any that is free.
    aws: whether AWS is there at all: `embedded`, `none`, or the URL of an emulator that runs already.
    source: what stands in front of the application over HTTP: REST, HTTP, URL or ALB.
    stage: of the API, as events name it.
    timeout: seconds of a call where the application declares none.
    reload: whether a change of a file replaces the application.
    keep: the most events that are kept.
    retry_delays: seconds before the second and the third attempt of an asynchronous event.
    skips_time: whether waits of durable executions end at once.
    allowed_hosts: further names by which a browser may call the console, beside those of this machine.
    environment: further variables of the application.
    region: of AWS. account: of AWS.
    """

    application: str
    folder: Path = field(default_factory=Path.cwd)
    host: str = LOOPBACK
    port: int = 3000
    aws_port: int = 4566
    aws: str = "embedded"
    source: Source = Source.HTTP
    stage: str = "$default"
    timeout: float = 30
    reload: bool = True
    keep: int = 100_000
    retry_delays: tuple[float, ...] = (60, 120)
    skips_time: bool = False
    allowed_hosts: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    region: str = REGION
    account: str = ACCOUNT
