"""`Describing`: what Lambda's API tells of functions, and the settings of asynchronous calls, which callers can set."""

from __future__ import annotations

import platform
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from router.local.lambda_api.functions import Asynchronous
from router.local.lambda_api.refusals import Refusal
from router.local.lambda_api.requests import body_of
from router.local.lambda_api.requests import payload_of as json_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from router.local.lambda_api.functions import Functions, Named

_RETRIES = range(3)
_AGES = range(60, 21_601)  # seconds


class Describing:
    """Answer questions about functions. functions: those that there are."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        self._changed: dict[str, float] = {}

    async def list_all(self, _: Request) -> Response:
        """Answer ListFunctions."""
        named = [self._functions.find(one.name) for one in self._functions]
        return JSONResponse({"Functions": [self._configuration(one) for one in named], "NextMarker": None})

    async def get(self, request: Request) -> Response:
        """Answer GetFunction."""
        named = self._named(request)
        return JSONResponse(
            {
                "Configuration": self._configuration(named),
                "Code": {"RepositoryType": "Local", "Location": "file:."},
                "Tags": {},
            }
        )

    async def get_configuration(self, request: Request) -> Response:
        """Answer GetFunctionConfiguration."""
        return JSONResponse(self._configuration(self._named(request)))

    async def get_asynchronous(self, request: Request) -> Response:
        """Answer GetFunctionEventInvokeConfig."""
        named = self._named(request)
        if not _is_set(named.function.asynchronous):
            message = f"The function {named.arn} doesn't have an EventInvokeConfig"
            raise Refusal(404, "ResourceNotFoundException", message)
        return JSONResponse(self._asynchronous(named))

    async def put_asynchronous(self, request: Request) -> Response:
        """Answer PutFunctionEventInvokeConfig: what is not named has its default again."""
        return await self._set(request, Asynchronous())

    async def update_asynchronous(self, request: Request) -> Response:
        """Answer UpdateFunctionEventInvokeConfig: what is not named stays."""
        return await self._set(request, self._named(request).function.asynchronous)

    async def delete_asynchronous(self, request: Request) -> Response:
        """Answer DeleteFunctionEventInvokeConfig."""
        function = self._named(request).function
        function.asynchronous = Asynchronous(dead_letters=function.asynchronous.dead_letters, configured=True)
        return Response(status_code=204)

    async def _set(self, request: Request, before: Asynchronous) -> Response:
        named = self._named(request)
        asked = json_of(await body_of(request))
        if not isinstance(asked, dict):
            raise Refusal(400, "InvalidParameterValueException", "the settings are not an object")
        named.function.asynchronous = Asynchronous(
            retries=_within(asked, "MaximumRetryAttempts", _RETRIES, before.retries),
            max_age=_within(asked, "MaximumEventAgeInSeconds", _AGES, before.max_age),
            on_success=_destination(asked, "OnSuccess", before.on_success),
            on_failure=_destination(asked, "OnFailure", before.on_failure),
            dead_letters=named.function.asynchronous.dead_letters,
            configured=True,
        )
        self._changed[named.function.name] = time.time()
        return JSONResponse(self._asynchronous(named))

    def _named(self, request: Request) -> Named:
        return self._functions.find(request.path_params["name"], request.query_params.get("Qualifier"))

    def _asynchronous(self, named: Named) -> dict[str, Any]:
        settings = named.function.asynchronous
        ends = {"OnSuccess": settings.on_success, "OnFailure": settings.on_failure}
        return {
            "FunctionArn": named.arn,
            "LastModified": self._changed.get(named.function.name, 0.0),
            "MaximumRetryAttempts": settings.retries,
            "MaximumEventAgeInSeconds": int(settings.max_age),
            "DestinationConfig": {name: {"Destination": arn} if arn else {} for name, arn in ends.items()},
        }

    def _configuration(self, named: Named) -> dict[str, Any]:
        function = named.function
        major, minor, _ = platform.python_version_tuple()
        told: dict[str, Any] = {
            "FunctionName": function.name,
            "FunctionArn": f"{function.arn}:{named.qualifier}" if named.qualifier else function.arn,
            "Runtime": f"python{major}.{minor}",
            "Role": f"arn:aws:iam::{function.account}:role/local",
            "Handler": "application.handler",
            "CodeSize": 0,
            "Description": "",
            "Timeout": int(function.timeout),
            "MemorySize": function.memory,
            "LastModified": self._since,
            "Version": named.version,
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": ["arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"],
        }
        if function.durable:
            told["DurableConfig"] = {"ExecutionTimeout": function.durable, "RetentionPeriodInDays": 1}
        if function.asynchronous.dead_letters:
            told["DeadLetterConfig"] = {"TargetArn": function.asynchronous.dead_letters}
        return told


def _is_set(settings: Asynchronous) -> bool:
    """Whether settings are not those of a function that has none."""
    return settings != Asynchronous(dead_letters=settings.dead_letters, configured=settings.configured)


def _within(asked: Mapping[str, Any], name: str, allowed: range, before: float) -> Any:
    value = asked.get(name)
    if value is None:
        return before
    if isinstance(value, bool) or value not in allowed:
        message = f"{name}: {value!r:.100} is not between {allowed.start} and {allowed.stop - 1}"
        raise Refusal(400, "InvalidParameterValueException", message)
    return value


def _destination(asked: Mapping[str, Any], name: str, before: str | None) -> str | None:
    ends = asked.get("DestinationConfig") or {}
    end = ends.get(name) if isinstance(ends, dict) else None
    if end is None:
        return before
    arn = end.get("Destination") if isinstance(end, dict) else ""
    if arn is not None and not isinstance(arn, str):
        raise Refusal(400, "InvalidParameterValueException", f"{name}: the destination is not an ARN")
    return arn or None
