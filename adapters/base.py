"""`Adapter`: what the adapters of AWS services have in common, besides `Sns` and `Sqs`."""

from __future__ import annotations

from adapters.aws.client import default_aws
from adapters.blocking import warn_if_blocking
from adapters.session import CURRENT, named_session
from router.session import current_event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from adapters.aws.client import Aws
    from adapters.aws.settings import Settings
    from adapters.aws.steps import Steps
    from adapters.session import Outgoing
    from router.session import Policy

    T = TypeVar("T")


class Adapter:
    """Has an `Aws` to call with, and takes the steps of its verbs.

    aws: who calls; that of the environment, asked for when first needed, where none is given.
    """

    def __init__(self, aws: Aws | None = None) -> None:
        self._aws = aws

    @property
    def aws(self) -> Aws:
        """Who calls; that of the environment when none was given."""
        if self._aws is None:
            self._aws = default_aws()
        return self._aws

    @property
    def settings(self) -> Settings:
        """Where AWS is, and how often a call is tried."""
        return self.aws.settings

    def _run(self, steps: Steps[T], verb: str) -> T:
        """Take a verb's steps in this thread."""
        self._warn(verb)
        return self.aws.run(steps)

    def _warn(self, verb: str) -> None:
        warn_if_blocking(self, verb)


def session_entry(session: Outgoing = CURRENT, policy: Policy | None = None) -> tuple[str, str | None]:
    """`(key, wire form)` of a session in a payload. Where there is none to attach, the key is one to leave free."""
    named = named_session(session, policy)
    if named is not None:
        return named
    event = current_event()
    carried = policy or (None if event is None else event._policy)
    return "session" if carried is None else carried.attribute, None
