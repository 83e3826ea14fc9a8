"""Call the actions of another function, by `adapters.lambda_invoke.Invoker`."""

from __future__ import annotations

from adapters.lambda_invoke import FunctionFailed, Invoker
from adapters.sister.calls import given, read_json
from router.wire_fields import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from adapters.lambda_invoke import InvokeOptions
    from adapters.sister.calls import Action

    T = TypeVar("T")


class InvokeCalls:
    """The actions of one function.

    function: its name, a name with alias or version, or an ARN.
    invoker: calls it; by default one made of the environment.
    """

    def __init__(self, function: str, invoker: Invoker | None = None) -> None:
        self._function = function
        self._invoker = Invoker() if invoker is None else invoker

    def _invoke(self, action: Action[T], data: Any, options: InvokeOptions, name: str = "") -> T:
        """Call an action and return its result. name: of the action, where the route has a pattern.

        Raises:
            FunctionFailed: the function was called, and failed. UnexpectedAnswer: its result does not fit the type.
        """
        result = self._invoker.invoke(self._named(), name or action.name, written(data), **options)
        return self._read(action, result)

    async def _invoke_async(self, action: Action[T], data: Any, options: InvokeOptions, name: str = "") -> T:
        result = await self._invoker.invoke_async(self._named(), name or action.name, written(data), **options)
        return self._read(action, result)

    def _hand_over(self, action: Action[Any], data: Any, options: InvokeOptions, name: str = "") -> None:
        """Let Lambda call an action later."""
        self._invoker.invoke_event(self._named(), name or action.name, written(data), **options)

    async def _hand_over_async(self, action: Action[Any], data: Any, options: InvokeOptions, name: str = "") -> None:
        await self._invoker.invoke_event_async(self._named(), name or action.name, written(data), **options)

    def _named(self) -> str:
        return given(self._function, "function=")

    def _read(self, action: Action[T], result: Any) -> T:
        envelope = action.envelope
        if envelope is not None and envelope.holds(result):
            if not envelope.is_success(result):
                raise FunctionFailed(
                    f"lambda.invoke {self._function}: action {action.name} failed: {result[envelope.code]:.60}",
                    error_message=f"[{result[envelope.code]}] {result.get(envelope.message) or ''}",
                    handled=True,
                    service="lambda",
                    operation="invoke",
                    resource=self._function,
                )
            result = result[envelope.data]
        found: T = read_json(action.read, result, f"action {action.name}", self._function)
        return found
