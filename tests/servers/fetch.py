"""`python -m tests.servers.fetch [NAME...]`: fetches and builds what the tests' servers consist of, once.

Prints a line for each: present, fetched, or what to install. Ends with code 0 all the same when something is missing,
for the tests name what they left out; with CI=true it ends with code 1. Code 2 is for a name that is no server's.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from tests.servers.artefacts import ARTEFACTS, Artefact
from tests.servers.commands import FetchError
from tests.servers.debian import DebianProgram
from tests.servers.tools import MissingTool, in_ci


def main(names: Sequence[str] = ()) -> int:
    """Fetches what is named, or everything, and returns the exit code."""
    known = {artefact.name: artefact for artefact in ARTEFACTS}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"there is no {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    complete = [_report(known[name]) for name in names or known]
    return 0 if all(complete) or not in_ci() else 1


def _report(artefact: Artefact | DebianProgram) -> bool:
    started = time.monotonic()
    try:
        fetched = artefact.fetch()
    except MissingTool as missing:
        outcome, complete = f"missing tool: {missing}", False
    except FetchError as error:
        outcome, complete = f"failed: {error}", False
    else:
        outcome, complete = (f"fetched in {time.monotonic() - started:.0f} s" if fetched else "present"), True
    print(f"{artefact.name:<24} {outcome}", flush=True)
    return complete


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
