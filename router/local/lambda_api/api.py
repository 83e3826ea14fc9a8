"""`LambdaApi`: everything that is answered as Lambda, as routes of Starlette."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Route

from router.local.calls import Call
from router.local.durable.api import routes as durable_routes
from router.local.lambda_api.asynchronous import RETRY_DELAYS, AsynchronousCalls, Waiting
from router.local.lambda_api.describing import Describing
from router.local.lambda_api.destinations import Destinations
from router.local.lambda_api.forwarding import ROUTE, Forwarding
from router.local.lambda_api.functions import Functions
from router.local.lambda_api.invoking import Invoking
from router.local.lambda_api.refusals import Refusal, refusing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from router.local.calls import Invoker
    from router.local.durable.executions import Executions
    from router.local.lambda_api.functions import Function

PATHS = ("/2014-11-13", "/2015-03-31", "/2019-09-25", "/2021-11-15", "/2025-12-01", "/_local")
"""The beginnings of the paths that are answered."""
_FUNCTIONS = "/2015-03-31/functions"
_EVENT_CONFIG = "/2019-09-25/functions/{name}/event-invoke-config"
_log = logging.getLogger(__name__)


class LambdaApi:
    """Answer as Lambda does.

    invoker: makes the calls.
    functions: those of the application; `functions.replace` takes them when they have changed.
    executions: runs durable functions; then it is what `invoker` is, too.
    clients: makes a boto3 client of a service at the emulator, for destinations; None where there is no AWS.
    token: the secret of the emulator's functions; made up where none is given.
    retry_delays: seconds before the second and the third attempt of an asynchronous call.
    tell: is told, in words, of events that are gone and of records that could not be sent; by default the log.
    """

    def __init__(
        self,
        invoker: Invoker,
        functions: Functions | Iterable[Function] = (),
        *,
        executions: Executions | None = None,
        clients: Callable[[str], Any] | None = None,
        token: str = "",
        retry_delays: tuple[float, ...] = RETRY_DELAYS,
        tell: Callable[[str], None] = _log.warning,
    ) -> None:
        self.functions = functions if isinstance(functions, Functions) else Functions(functions)
        destinations = Destinations(clients, self._call_function, tell)
        self.later = AsynchronousCalls(invoker, destinations.send, delays=retry_delays)
        self._forwarding = Forwarding(self.functions, invoker, self.later, executions, token)
        self._invoking = Invoking(self.functions, invoker, self.later, executions)
        self._executions = executions
        self._tell = tell
        self.app = Starlette(routes=self.routes())

    @property
    def token(self) -> str:
        """Return the secret of the emulator's functions."""
        return self._forwarding.token

    def routes(self) -> list[Route]:
        """Return the routes, for an application of Starlette."""
        describing, one = Describing(self.functions), _FUNCTIONS + "/{name}"
        table = [
            ("POST", f"{one}/invocations", self._invoking.invoke),
            ("POST", "/2014-11-13/functions/{name}/invoke-async", self._invoking.invoke_async),
            ("POST", "/2021-11-15/functions/{name}/response-streaming-invocations", self._invoking.stream),
            ("GET", _FUNCTIONS, describing.list_all),
            ("GET", f"{_FUNCTIONS}/", describing.list_all),
            ("GET", one, describing.get),
            ("GET", f"{one}/configuration", describing.get_configuration),
            ("GET", _EVENT_CONFIG, describing.get_asynchronous),
            ("PUT", _EVENT_CONFIG, describing.put_asynchronous),
            ("POST", _EVENT_CONFIG, describing.update_asynchronous),
            ("DELETE", _EVENT_CONFIG, describing.delete_asynchronous),
            ("POST", ROUTE, self._forwarding.take),
        ]
        routes = [Route(path, refusing(handle), methods=[method]) for method, path, handle in table]
        if self._executions is not None:
            routes += durable_routes(self._executions)
        return [*routes, Route("/{path:path}", refusing(_unknown), methods=list(_METHODS))]

    async def close(self) -> None:
        """Stop. It tells how many events had not been handled."""
        left = await self.later.close()
        if left:
            self._tell(f"{left} asynchronous {'event was' if left == 1 else 'events were'} not done at the end")

    def _call_function(self, arn: str, record: dict[str, Any]) -> None:
        """Hand a record to a function that is a destination."""
        named = self.functions.find(arn)
        self.later.put(Waiting(named, Call(record, "invoke", named.function.part, timeout=named.function.timeout)))


_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")


async def _unknown(request: Request) -> Response:
    """Refuse what only the service itself, or the emulator, can do."""
    message = (
        f"{request.method} {request.url.path:.200} is not a call that is answered here: "
        "of Lambda's API there are the calls that invoke and describe functions"
    )
    raise Refusal(404, "UnknownOperationException", message)
