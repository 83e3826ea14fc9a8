"""Event Ruler, the engine behind EventBridge rules: one process judges many pairs of a pattern and an event."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from typing import Any

from tests.servers.artefacts import EVENT_RULER
from tests.servers.tools import JAVA_OPTIONS, find

_TIMEOUT_S = 100


def judge(pairs: Iterable[tuple[Any, Any]]) -> list[str]:
    """Returns what the engine says of each pattern and event: "true", "false", or "error" and why it refuses them."""
    lines = "".join(f"{json.dumps(value)}\n" for pair in pairs for value in pair)
    class_path = os.pathsep.join((str(EVENT_RULER.folder / "classes"), str(EVENT_RULER.folder / "libraries" / "*")))
    done = subprocess.run(
        [find("java"), *JAVA_OPTIONS, "-cp", class_path, "Judge"],
        input=lines,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_TIMEOUT_S,
        check=True,
    )
    return done.stdout.splitlines()
