"""One piece of code for a verb and its async twin: a generator of steps, and the driver that takes them.

A step is what has to be waited for, such as a call in AWS. How it is performed is for the caller of the driver to say:
`run` performs it in this thread, `run_async` awaits it. Both send the result back into the generator, or raise the
error where the generator stands.
"""

from __future__ import annotations

from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeAlias, TypeVar

    T = TypeVar("T")
    Steps: TypeAlias = Generator[Any, Any, T]


class BlockingCall:
    """A call of a blocking function. long: it waits on purpose (long polling), so it gets threads of its own."""

    __slots__ = ("function", "long")

    def __init__(self, function: Callable[..., Any], *arguments: Any, long: bool = False) -> None:
        self.function = partial(function, *arguments)
        self.long = long


class Wait:
    """A pause of some seconds."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


def _itself(step: Any) -> Any:
    return step


def run(steps: Steps[T], perform: Callable[[Any], Any] = _itself) -> T:
    """Take the steps in this thread, to the end.

    steps: what a verb does.
    perform: returns the result of a step; by default the step is its result.
    """
    send, value = steps.send, None
    try:
        while True:
            step = send(value)
            send = steps.send
            try:
                value = perform(step)
            except Exception as error:
                send, value = steps.throw, error
    except StopIteration as done:
        result: T = done.value
        return result


async def run_async(steps: Steps[T], perform: Callable[[Any], Any] = _itself) -> T:
    """Take the steps from async code.

    steps: what a verb does.
    perform: returns the result of a step, or something to await for it; by default the step is that.
    """
    send, value = steps.send, None
    try:
        while True:
            step = send(value)
            send = steps.send
            try:
                value = perform(step)
                if hasattr(value, "__await__"):
                    value = await value
            except Exception as error:
                send, value = steps.throw, error
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        steps.close()
