"""Tell how long code takes, for tests of budgets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import process_time


@contextmanager
def processor_time() -> Iterator[Callable[[], float]]:
    """Measure a block: what it gives returns, after the block, the seconds that the processor worked on it.

    What others do on the machine does not count, nor does the tracer of coverage, which is taken away meanwhile: code
    takes several times as long with it.
    """
    spent: list[float] = []
    tracer = sys.gettrace()
    sys.settrace(None)
    started = process_time()
    try:
        yield lambda: spent[0]
    finally:
        spent.append(process_time() - started)
        sys.settrace(tracer)
