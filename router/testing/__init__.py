"""For tests of applications: `TestClient`, a Lambda `Context`, `samples`, the payloads AWS would send, and `Calls`,
which compares the calls that are made to AWS with those that are declared.
"""

from router.testing.calls import Calls
from router.testing.client import Answer, TestClient
from router.testing.context import Context

__all__ = ["Answer", "Calls", "Context", "TestClient", "samples"]

from router.testing import samples
