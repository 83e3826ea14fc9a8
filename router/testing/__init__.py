"""For tests of applications: `TestClient`, a Lambda `Context`, `samples`, the payloads AWS would send, and `Calls`,
which compares the calls that are made to AWS with those that are declared. Names are loaded when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.testing.calls import Calls as Calls
    from router.testing.client import Answer as Answer
    from router.testing.client import TestClient as TestClient
    from router.testing.context import Context as Context
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(
        __name__, {"calls": "Calls", "client": "Answer TestClient", "context": "Context"}
    )
