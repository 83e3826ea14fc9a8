"""Fixtures of pytest for applications. A `conftest.py` turns them on:

    pytest_plugins = ["router.testing.pytest_plugin"]

Or a command line does: `pytest -p router.testing.pytest_plugin`. Nothing is loaded for anybody else.
"""

from __future__ import annotations

import pytest

from router.testing.faults import Faults

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def faults() -> Iterator[Faults]:
    """Return rules of what goes wrong on purpose in this test; there is none until the test adds one.

    They hold for what `TestClient` delivers, and for calls of AWS by any client of botocore or boto3. The dice fall the
    same in each run; `faults.seed(7)` throws others.
    """
    with Faults(seed=0).applied() as rules:
        yield rules
