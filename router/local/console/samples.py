"""Make samples whose options come as texts, from a page."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4, uuid5

from router.testing.samples import named

if TYPE_CHECKING:
    from collections.abc import Mapping

_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


@cache
def sources() -> list[dict[str, Any]]:
    """Return all samples with their options: name, type as text, default, and whether the value is plain `text`."""
    return [
        {"source": name, "options": [{**one, "text": named.is_text(one["type"])} for one in named.described(name)]}
        for name in named.NAMES
    ]


def sample(source: str, options: Mapping[str, str]) -> Any:
    """Return a payload. Its ids are new, for what is sent twice are two events; those that are given stay.

    source: of `router.testing.samples.named.NAMES`.
    options: as texts; JSON, except where the option is a text itself.

    Raises:
        LookupError: there is no such sample.
        ValueError: an option is not known, or its value is not right.
    """
    if source not in named.NAMES:
        raise LookupError(f"there is no sample {source!r}; there are {', '.join(named.NAMES)}")
    made = named.sample(source, named.with_texts(source, options))
    return _with_new_ids(made, " ".join(options.values()))


def _with_new_ids(made: Any, given: str) -> Any:
    run = uuid4()
    # Each by itself, so that an id stays the same wherever else it is in the payload.
    new = {old: str(uuid5(run, old)) for old in _ID.findall(json.dumps(made)) if old not in given}
    return json.loads(_ID.sub(lambda found: new.get(found[0], found[0]), json.dumps(made)))
