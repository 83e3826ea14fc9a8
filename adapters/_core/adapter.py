"""`Adapter`: the base of what calls a service of AWS."""

from __future__ import annotations

from adapters._core.blocking import refuse_blocking
from adapters.aws.aws import default_aws

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from adapters.aws.settings import Settings

    T = TypeVar("T")


class Adapter:
    """Has an `Aws` to call with, and takes the steps of its verbs.

    aws: makes the calls; by default one made of the environment, when it is first needed.
    """

    def __init__(self, aws: Aws | None = None) -> None:
        self._aws = aws

    @property
    def aws(self) -> Aws:
        """The `Aws` that makes the calls."""
        if self._aws is None:
            self._aws = default_aws()
        return self._aws

    @property
    def settings(self) -> Settings:
        """The settings: where AWS is, and how often a call is tried."""
        return self.aws.settings

    def _run(self, steps: Steps[T], verb: str) -> T:
        """Take the steps of a verb in this thread."""
        refuse_blocking(self, verb)
        return self.aws.run(steps)

    @property
    def _blocking(self) -> str:
        return self.settings.blocking
