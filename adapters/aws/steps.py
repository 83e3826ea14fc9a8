"""One piece of code for a verb and its async twin: a generator that yields what has to be waited for.

`Call` is a blocking call: made at once in sync code, in a thread of its own pool in async code. `Wait` is a pause. Both
kinds of code send the result back into the generator, or throw the error into it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Semaphore
    from collections.abc import Awaitable, Callable, Generator
    from typing import Any, TypeAlias, TypeVar

    T = TypeVar("T")
    Steps: TypeAlias = "Generator[Call | Wait, Any, T]"


class Call:
    """A blocking function without arguments. long: it waits on purpose (long polling), so it gets a pool of its own."""

    __slots__ = ("function", "long")

    def __init__(self, function: Callable[[], Any], *, long: bool = False) -> None:
        self.function = function
        self.long = long


class Wait:
    """A pause of some seconds."""

    __slots__ = ("seconds",)
    long = True

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


def run(steps: Steps[T], sleep: Callable[[float], object]) -> T:
    """Take the steps in this thread, to the end."""
    send, value = steps.send, None
    try:
        while True:
            step = send(value)
            send, value = steps.send, None
            if isinstance(step, Wait):
                sleep(step.seconds)
                continue
            try:
                value = step.function()
            except Exception as error:
                send, value = steps.throw, error
    except StopIteration as done:
        result: T = done.value
        return result


async def run_async(steps: Steps[T], gate: Semaphore, in_thread: Callable[[Call], Awaitable[Any]]) -> T:
    """Take the steps from async code, without blocking its loop.

    Only so many verbs as the gate lets in are between their first and last step; what waits on purpose is outside.
    Were all of a thousand begun at once, the loop would stand still while each is prepared.
    """
    from asyncio import sleep

    send, value = steps.send, None
    await gate.acquire()
    inside = True
    try:
        while True:
            step = send(value)
            send, value = steps.send, None
            if step.long:
                gate.release()
                inside = False
            try:
                value = await (sleep(step.seconds) if isinstance(step, Wait) else in_thread(step))
            except Exception as error:
                send, value = steps.throw, error
            if not inside:
                await gate.acquire()
                inside = True
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        if inside:
            gate.release()
        steps.close()
