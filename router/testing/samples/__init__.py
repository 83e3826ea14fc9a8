"""Payloads as AWS delivers them, for tests: one builder for every event source, and `SAMPLES`, one payload of each.

Every builder returns a new payload on each call and shares nothing with its arguments. Ids and times are the same in
every run unless given (`timestamp=`, `request_id=`, `message_ids=` and the like): ids depend on the content alone.
A `session=` (a mapping, or text that is already signed) goes where the source carries one. Arguments that no service
could deliver raise `ValueError`.
"""

from __future__ import annotations

from importlib import import_module

from router.sources._registry import ROWS
from router.testing.samples._dynamodb import attribute_value as attribute_value
from router.testing.samples.assistants import *
from router.testing.samples.brokers import *
from router.testing.samples.bus import *
from router.testing.samples.delivery import *
from router.testing.samples.direct import *
from router.testing.samples.graphql import *
from router.testing.samples.identity import *
from router.testing.samples.messaging import *
from router.testing.samples.others import *
from router.testing.samples.sockets import *
from router.testing.samples.storage import *
from router.testing.samples.streams import *
from router.testing.samples.web import *

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

SAMPLES: Mapping[str, Callable[[], Any]] = {
    row.source.value: import_module(f"{__name__}.{row.sample}").SAMPLES[row.source] for row in ROWS.values()
}
"""A representative payload of every event source, by the value of its `Source`: `SAMPLES["sqs"]()`."""
