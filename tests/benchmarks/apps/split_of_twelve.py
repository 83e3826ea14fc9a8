"""One of twelve functions of an application: its environment names the group that it has."""

import os
from typing import Any

os.environ["JUNCTION_FUNCTION"] = "own"

from router import Resolver

resolver = Resolver()
resolver.include("tests.benchmarks.apps.split_own:own", function="own")
for _number in range(1, 12):
    resolver.include(f"tests.benchmarks.apps.split_groups:group{_number}", function=f"group{_number}")


def handler(event: dict[str, Any], context: object) -> Any:
    return resolver.resolve(event, context)
