"""`Store`: keep what happened in a local run, find it again, and tell who watches."""

from __future__ import annotations

from router.local.store.filters import Filters as Filters
from router.local.store.live import Subscription as Subscription
from router.local.store.live import Update as Update
from router.local.store.store import Store as Store
