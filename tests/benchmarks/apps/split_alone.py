"""An application that has only the group of the function that is measured."""

from typing import Any

from router import Resolver
from tests.benchmarks.apps.split_own import own

resolver = Resolver()
resolver.include(own)


def handler(event: dict[str, Any], context: object) -> Any:
    return resolver.resolve(event, context)
