"""Merge the statements of a function into a policy that somebody keeps by hand, in JSON.

A statement of ours has a Sid such as `JunctionSqs3f2a9c1d`, with a digest of what it says. Statements without such a
Sid belong to others, and stay.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING

from router.contract import json_text
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_MARK = "Junction"
_LISTS = ("Action", "NotAction", "Resource", "NotResource")


def marked(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return a policy with a Sid in each of its statements."""
    return {**policy, "Statement": [{"Sid": _sid(one), **one} for one in policy["Statement"]]}


def merged(text: str, ours: Mapping[str, Any], *, force: bool = False) -> str:
    """Return the text of a policy with all statements of ours; where nothing changes, the text itself.

    text: of the policy; empty for none.
    ours: what `marked` returned.
    force: whether statements of ours that were edited by hand are taken out.

    Raises:
        ConfigurationError: the text is no policy, or statements of ours were edited by hand.
    """
    if not text.strip():
        return json.dumps(ours, indent=2) + "\n"
    held = json_text.read(text, "the policy")
    statements = held.get("Statement", [])
    several = statements if isinstance(statements, list) else [statements]
    if not all(isinstance(one, dict) for one in several):
        raise ConfigurationError("the policy has a Statement that is neither an object nor a list of objects")
    mine = [one for one in several if _is_ours(one)]
    edited = [str(one["Sid"]) for one in mine if one["Sid"] != _sid(one)]
    if edited and not force:
        named = ", ".join(f"{sid} (line {_line(text, sid)})" for sid in edited)
        raise ConfigurationError(
            f"edited by hand since the last export: {named}; give the statement a Sid of your own to keep it, or write "
            "over it with --force"
        )
    wanted = {one["Sid"]: one for one in ours["Statement"]}
    kept = [one for one in several if not _is_ours(one) or (one["Sid"] in wanted and one["Sid"] not in edited)]
    new = [one for sid, one in wanted.items() if not any(sid == held.get("Sid") for held in kept)]
    if kept == several and not new:
        return text
    place = max((number for number, one in enumerate(kept, 1) if _is_ours(one)), default=len(kept))
    held["Statement"] = kept[:place] + new + kept[place:]
    return json_text.write({"Version": ours["Version"], **held} if "Version" not in held else held, text)


def _is_ours(statement: Mapping[str, Any]) -> bool:
    sid = statement.get("Sid")
    return isinstance(sid, str) and re.fullmatch(rf"{_MARK}[A-Za-z0-9]+", sid) is not None


def _sid(statement: Mapping[str, Any]) -> str:
    """Return the Sid of a statement, in letters and digits, as IAM wants it. The order of its actions is no matter."""
    plain = {
        name: sorted([held] if isinstance(held, str) else map(str, held)) if name in _LISTS else held
        for name, held in statement.items()
        if name != "Sid"
    }
    actions = plain.get("Action") or [""]
    service = "".join(letter for letter in actions[0].partition(":")[0] if letter.isalnum())
    return f"{_MARK}{service.capitalize()}{sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:8]}"


def _line(text: str, sid: str) -> int:
    return text.count("\n", 0, max(text.find(f'"{sid}"'), 0)) + 1
