"""One piece of code for a verb and its async twin: a generator that yields what a collection of a driver returned.

MongoClient's collections return values, those of motor and AsyncMongoClient something to await. Sync code sends the
value back into the generator, async code what it awaited. An error is raised where the generator stands.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any, TypeAlias, TypeVar

    T = TypeVar("T")
    Steps: TypeAlias = Generator[Any, Any, T]


def run(steps: Steps[T]) -> T:
    """Take the steps with a collection of MongoClient: what it returned has happened already."""
    try:
        value = next(steps)
        while True:
            value = steps.send(value)
    except StopIteration as done:
        result: T = done.value
        return result


async def run_async(steps: Steps[T]) -> T:
    """Take the steps with a collection of an async driver."""
    send, value = steps.send, None
    try:
        while True:
            step = send(value)
            send = steps.send
            if hasattr(step, "__await__"):
                try:
                    value = await step
                except Exception as error:
                    send, value = steps.throw, error
            else:
                value = step  # a cursor, or what did not need the server
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        steps.close()
