"""Lambda's API for durable executions: checkpoints of the application's SDK, callbacks, history, stopping."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.routing import Route

from router.local.lambda_api.refusals import Refusal, refusing
from router.local.lambda_api.requests import body_of

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python_testing.web.models import HTTPRequest as RunnersRequest
    from starlette.requests import Request

    from router.local.durable.executions import Executions

PATH = "/2025-12-01"
"""The beginning of the paths that are answered."""


def routes(executions: Executions) -> list[Route]:
    """Return the routes, for an application of Starlette."""

    async def answer(request: Request) -> Response:
        body = await body_of(request)
        runner = executions.runner
        if runner is None:
            raise Refusal(404, "ResourceNotFoundException", "there are no durable executions")
        raw: bytes = request.scope["raw_path"]
        query = parse_qs(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return await asyncio.to_thread(
            _answer, runner.executor, request.method, raw.decode("latin-1").partition("?")[0], query, body
        )

    return [Route(f"{PATH}/{{path:path}}", refusing(answer), methods=["GET", "POST"])]


def _answer(executor: Any, method: str, path: str, query: dict[str, list[str]], body: bytes) -> Response:
    """Let the runner's own handlers answer a request."""
    from aws_durable_execution_sdk_python_testing.exceptions import AwsApiException, UnknownRouteError
    from aws_durable_execution_sdk_python_testing.web.models import HTTPRequest, HTTPResponse
    from aws_durable_execution_sdk_python_testing.web.routes import BytesPayloadRoute, Router

    try:
        route = Router().find_route(path, method)
        handler = _handlers(executor)[type(route)]
        read = HTTPRequest.from_raw_bytes if isinstance(route, BytesPayloadRoute) else HTTPRequest.from_bytes
        request = read(body_bytes=body, method=method, path=route, headers={}, query_params=query)
        if not isinstance(request.body, dict | bytes):
            raise Refusal(400, "InvalidRequestContentException", "the body is not a JSON object")
        answer = handler.handle(route, _mended(request))
    except (UnknownRouteError, KeyError):
        message = f"{method} {path:.200} is not a call that the local runner of durable executions answers"
        raise Refusal(404, "UnknownOperationException", message) from None
    except AwsApiException as error:
        answer = HTTPResponse.create_error_from_exception(error)
    headers = dict(answer.headers)
    if answer.status_code >= 400 and isinstance(kind := answer.body.get("Type"), str):
        headers["x-amzn-errortype"] = kind
    return Response(answer.body_to_bytes(), answer.status_code, headers)


def _mended(request: RunnersRequest) -> RunnersRequest:
    """Return a request as the handlers read it: that of StopDurableExecution is an error, and they look into it."""
    from aws_durable_execution_sdk_python_testing.web.routes import StopDurableExecutionRoute

    body = request.body
    if isinstance(request.path, StopDurableExecutionRoute) and isinstance(body, dict) and body and "Error" not in body:
        return replace(request, body={"Error": body})
    return request


def _handlers(executor: Any) -> dict[type, Any]:
    from aws_durable_execution_sdk_python_testing.web import handlers as by
    from aws_durable_execution_sdk_python_testing.web import routes as to

    return {
        to.GetDurableExecutionRoute: by.GetDurableExecutionHandler(executor),
        to.CheckpointDurableExecutionRoute: by.CheckpointDurableExecutionHandler(executor),
        to.StopDurableExecutionRoute: by.StopDurableExecutionHandler(executor),
        to.GetDurableExecutionStateRoute: by.GetDurableExecutionStateHandler(executor),
        to.GetDurableExecutionHistoryRoute: by.GetDurableExecutionHistoryHandler(executor),
        to.ListDurableExecutionsByFunctionRoute: by.ListDurableExecutionsByFunctionHandler(executor),
        to.CallbackSuccessRoute: by.SendDurableExecutionCallbackSuccessHandler(executor),
        to.CallbackFailureRoute: by.SendDurableExecutionCallbackFailureHandler(executor),
        to.CallbackHeartbeatRoute: by.SendDurableExecutionCallbackHeartbeatHandler(executor),
    }
