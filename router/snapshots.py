"""Begin anew what must not outlive its process or its moment: connections, cached values, times and locks.

Each cache registers itself here, and begins anew in a forked process and around a snapshot of the environment. An
environment that is restored (SnapStart) goes on with memory that may be weeks old: its monotonic clock has not moved
meanwhile, other environments of the same snapshot have the same random state, and nobody is at the other end of its
connections.
"""

from __future__ import annotations

import os
import sys
from weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Renewable(Protocol):
        """A cache, or whatever else has to begin anew."""

        def _renew(self, *, forked: bool) -> None:
            """Drop what is bound to a process or a moment.

            forked: in a child process: connections are the parent's and stay open; a lock may be held by a thread that
                does not exist here. Else close connections, and forget what was cached: it is of before a snapshot.
            """


_caches: dict[int, ref[Renewable]] = {}


def renewed(cache: Renewable) -> None:
    """Have a cache begin anew where that is needed. It is not kept alive by this."""
    key = id(cache)
    _caches[key] = ref(cache, lambda _: _caches.pop(key, None))


def renew(*, forked: bool) -> None:
    """Have all caches begin anew. One that cannot is named in the log, and keeps no other from it."""
    for held in list(_caches.values()):
        cache = held()
        try:
            if cache is not None:
                cache._renew(forked=forked)
        except Exception as error:
            from logging import getLogger

            getLogger("router").warning("%s did not begin anew: %s", type(cache).__qualname__, type(error).__name__)


def reseed() -> None:
    """Seed the random numbers of Python anew: they make ids of traces, and all restored environments have one state."""
    random = sys.modules.get("random")
    if random is not None:
        random.seed()


# ---- the hooks of Lambda -------------------------------------------------------------------------------------------


def takes_snapshots() -> bool:
    """Return whether Lambda takes a snapshot of this process (SnapStart)."""
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


def attach(before: Callable[[], Any], after: Callable[[], Any]) -> None:
    """Have Lambda's runtime client call functions: the last `before` first, and the first `after` first."""
    try:
        from snapshot_restore_py import (  # type: ignore[import-untyped]
            register_after_restore,
            register_before_snapshot,
        )
    except ImportError:  # it comes with the runtime client
        from logging import getLogger

        getLogger("router").warning("SnapStart: there is no snapshot_restore_py, so that nothing begins anew")
        return
    register_before_snapshot(before)
    register_after_restore(after)


def drop() -> None:
    """Close and forget, before a snapshot: nobody should find secrets in it, and no connection outlives it."""
    renew(forked=False)


def begin_again() -> None:
    """Begin anew after a restore, with random numbers of this environment's own."""
    reseed()
    renew(forked=False)


os.register_at_fork(after_in_child=lambda: renew(forked=True))
if takes_snapshots():
    # By the first module that keeps anything: before all hooks of the application, so that connections which its hooks
    # open before the snapshot are closed after them, and those they open after the restore stay.
    attach(drop, begin_again)
