"""Declare what runs the code: `Function`, a function of Lambda, and `Task`, a task of ECS."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, ClassVar

from router.contract.checks import check_count, check_name, check_seconds, check_types, check_variable, refuse
from router.contract.declarations import Resource
from router.routing.functions import MAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

_ARCHITECTURES = ("arm64", "x86_64")
_RUNTIME = re.compile(r"(?:python3\.|provided\.al)\d{1,4}", re.ASCII)
# Days, as PutRetentionPolicy of CloudWatch Logs takes them.
_RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


@dataclass(frozen=True, slots=True)
class Function:
    """Settings of a function. The routes say what triggers it and what it may do.

    A function that nobody declares has those of the main one, without `reserved`, `tenant_isolation` and `durable`.

    name: the name that routes give with `function=`; "main" is that of all others.
    timeout: seconds, at most 1,800. Managed Instances allow more, which templates do not make.
    memory: MB, 128 to 10,240; the processor grows with it.
    architecture: arm64 or x86_64.
    runtime: the runtime, such as python3.13.
    reserved: the most calls at a time, kept free for it; None for a share of the account's.
    tenant_isolation: whether each tenant has environments of its own. Only a REST API, which names the tenant, and
        direct calls reach such a function.
    durable: seconds that a durable execution may take; 0 for none.
    snap_start: whether versions start from a snapshot.
    gradual: how CodeDeploy moves calls to a new version, such as Canary10Percent5Minutes; empty for all at once. The
        alarm on errors ends it, and the old version takes all calls again.
    tracing: whether X-Ray sees its calls.
    log_retention: days that its log is kept.
    variables: environment variables with their values, beside those that resources tell.
    layers: ARNs of layers.
    image: the URI of a container's image with the code, or True for a parameter of the template; by default the code is
        in a package. The runtime and what layers would hold are in the image.
    """

    name: str = MAIN
    _: KW_ONLY
    timeout: int = 30
    memory: int = 512
    architecture: str = "arm64"
    runtime: str = "python3.13"
    reserved: int | None = None
    tenant_isolation: bool = False
    durable: int = 0
    snap_start: bool = False
    gradual: str = ""
    tracing: bool = False
    log_retention: int = 30
    variables: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    image: str | bool = False

    def __post_init__(self) -> None:
        check_types(self)
        check_name(self, "function", self.name)
        for variable in self.variables:
            check_variable(self, variable)
        check_seconds(self, "timeout", self.timeout, 1, 1800)
        check_count(self, "memory", self.memory, 128, 10_240)
        if self.reserved is not None:
            check_count(self, "reserved", self.reserved, 0, 100_000)
        check_seconds(self, "durable", self.durable, 0, 31_622_400)
        if self.architecture not in _ARCHITECTURES:
            refuse(self, f"architecture= takes {' or '.join(_ARCHITECTURES)}, not {self.architecture!r:.80}")
        if not _RUNTIME.fullmatch(self.runtime):
            refuse(self, f"runtime= takes a name such as python3.13, not {self.runtime!r:.80}")
        if self.log_retention not in _RETENTIONS:
            refuse(
                self, f"log_retention= takes {', '.join(map(str, _RETENTIONS))} days, not {self.log_retention!r:.80}"
            )
        object.__setattr__(self, "variables", dict(self.variables))
        if self.image and (self.layers or self.snap_start):
            refuse(self, "an image has no layers, and does not start from a snapshot")

    @property
    def is_published(self) -> bool:
        """Return whether versions of it are published, and called by the alias `live`.

        SnapStart and durable functions need that: a call of `$LATEST` starts from no snapshot and cannot wait.
        """
        return bool(self.snap_start or self.durable or self.gradual)


@dataclass(frozen=True, slots=True)
class Task(Resource):
    """A task of ECS on Fargate, which runs the `on_task` route of its name.

    image: the image of the container; by default a parameter of the template.
    cpu: units, 1,024 for a processor. memory: MB.
    command: what the container runs, whatever entry point the image has; by default `run_task()` of the application.
    """

    kind: ClassVar[str] = "task"
    _: KW_ONLY
    image: str = ""
    cpu: int = 256
    memory: int = 512
    command: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Resource.__post_init__(self)
        check_count(self, "cpu", self.cpu, 256, 16_384)
        check_count(self, "memory", self.memory, 512, 122_880)
