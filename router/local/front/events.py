"""Make the payload of a request, as the service in front of the function does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.event import Source
from router.testing.samples._common import arn, hex_id
from router.testing.samples._payloads import (
    alb_payload,
    authorizer_1,
    authorizer_2,
    http_payload,
    rest_payload,
    url_payload,
)
from router.testing.samples._request import API_ID
from router.testing.samples.web import URL_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.local.front.request import Incoming
    from router.local.front.surroundings import Target
    from router.local.settings import Settings

DEFAULT = "$default"


class Events:
    """Makes payloads of one API.

    source: what stands in front. stage: the name of its stage. stage_variables: of the stage.
    """

    def __init__(
        self, settings: Settings, source: Source, stage: str, stage_variables: Mapping[str, str] | None = None
    ) -> None:
        self.source = source
        self.stage = stage
        self._variables = stage_variables
        self._account = settings.account
        self._region = settings.region
        group = f"targetgroup/local/{hex_id(16, 'target group', settings.account)}"
        # Applications tell a function URL from an HTTP API by the domain in the context.
        self._url_host = f"{URL_ID}.lambda-url.{settings.region}.on.aws"
        self._group = arn("elasticloadbalancing", settings.region, settings.account, group)

    def of(self, request: Incoming, target: Target, authorized: Any = None) -> dict[str, Any]:
        """Return the payload of a request.

        target: which function takes it. authorized: what stands in `requestContext.authorizer`.
        """
        if self.source in (Source.HTTP, Source.REST):
            of_api: dict[str, Any] = {
                "host": request.host,
                "stage": self.stage,
                "api_id": API_ID,
                "account": self._account,
                "path_parameters": target.parameters,
                "stage_variables": self._variables,
                "authorizer": authorized,
            }
            if self.source is Source.HTTP:
                key = DEFAULT if target.path is None else f"{request.method} {target.path}"
                payload = http_payload(request, route_key=key, **of_api)
            else:
                payload = rest_payload(request, resource=target.path, **of_api)
        elif self.source is Source.URL:
            payload = url_payload(
                request, host=self._url_host, url_id=URL_ID, account=self._account, authorizer=authorized
            )
        else:
            payload = alb_payload(request, group=self._group, multi_value=False)
        return payload

    def method_arn(self, request: Incoming) -> str:
        """Return the ARN of what a request calls, by which an authorizer decides."""
        return arn("execute-api", self._region, self._account, f"{API_ID}/{self.stage}/{request.method}{request.path}")

    def of_authorizer(self, request: Incoming, target: Target, identity: list[str]) -> dict[str, Any]:
        """Return the payload of the authorizer of a request. identity: the values of the identity sources."""
        called = self.method_arn(request)
        context = self.of(request, target)["requestContext"]
        if self.source is Source.HTTP:
            return authorizer_2(request, called, context, target.parameters, identity)
        return authorizer_1(request, called, context, target.parameters)
