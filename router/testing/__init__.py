"""For tests of applications: `TestClient`, a Lambda `Context`, and `samples`, the payloads AWS would send."""

from router.testing.client import Answer, Context, TestClient

__all__ = ["Answer", "Context", "TestClient", "samples"]

from router.testing import samples
