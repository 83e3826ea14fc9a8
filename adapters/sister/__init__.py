"""The parts of a generated client: `junction export client` writes a module that is made of them.

Each group of calls has its session attached by the adapter below: `adapters.http`, `adapters.lambda_invoke`,
`adapters.messaging` and `adapters.eventbridge`.
"""

from __future__ import annotations

from adapters.sister.calls import ANYTHING, CONTENT, NOTHING, TEXT, Action, Enveloped, Operation, UnexpectedAnswer
from adapters.sister.http import HttpCalls
from adapters.sister.invoke import InvokeCalls
from adapters.sister.messages import BusCalls, SisterQueue, SisterTopic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from adapters.sister.http import CallOptions as CallOptions

__all__ = [
    "ANYTHING",
    "CONTENT",
    "NOTHING",
    "TEXT",
    "Action",
    "BusCalls",
    "Enveloped",
    "HttpCalls",
    "InvokeCalls",
    "Operation",
    "SisterQueue",
    "SisterTopic",
    "UnexpectedAnswer",
]
