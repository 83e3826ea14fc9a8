"""Call The shop, version 1.0.0, with the session attached.

Made by `junction export client`; do not edit it, export it again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from adapters.sister import (
    Action,
    HttpCalls,
    InvokeCalls,
    Operation,
    SisterQueue,
    SisterTopic,
)
from router.convert.reading import reader

if TYPE_CHECKING:
    from typing import Unpack

    from adapters.http import Services
    from adapters.lambda_invoke import InvokeOptions, Invoker
    from adapters.sister import CallOptions
    from adapters.sns import Sns
    from adapters.sqs import Sqs


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """The receipt of an order. It is stored once its message was handled.

    order_id: The number of an order.
    """

    order_id: str
    status: Literal["accepted"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedOrder:
    """The order that a client or the carrier speaks of.

    order_id: The number of an order.
    """

    order_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NewOrder:
    """An order that a customer places.

    product: The name of a product, as the price list has it.
    quantity: How many of it.
    """

    product: str
    quantity: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedOrder:
    """An order on its way from the request to the table.

    order_id: The number of an order.
    product: The name of a product, as the price list has it.
    quantity: How many of it.
    """

    order_id: str
    product: str
    quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownOrder:
    """An order, as clients see it.

    order_id: The number of an order.
    user: The customer who placed it.
    product: The name of a product, as the price list has it.
    quantity: How many of it.
    total: An amount, with two decimals.
    """

    order_id: str
    tenant: str
    user: str
    product: str
    quantity: int
    total: str
    status: Literal["open", "billed", "paid", "shipped", "expired"]
    placed_at: dt.datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """The orders of a tenant, added up.

    unpaid: How many of them are open or billed.
    total: An amount, with two decimals.
    """

    tenant: str
    orders: int
    unpaid: int
    total: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A request that uploads a price list, for five minutes and for this tenant
    alone.

    headers: Those that have to be sent along.
    """

    method: str
    url: str
    headers: dict[str, str]


_HTTP_OFFER_UPLOAD: Operation[Upload] = Operation(
    "POST",
    "/price-lists",
    {"200": reader(Upload)},
)
_HTTP_PLACE: Operation[Accepted] = Operation(
    "POST",
    "/orders",
    {"202": reader(Accepted)},
)
_HTTP_SHOW: Operation[ShownOrder] = Operation(
    "GET",
    "/orders/{order_id}",
    {"200": reader(ShownOrder)},
)
_INVOKE_REBUILD: Action[Totals] = Action("rebuild", reader(Totals))


class ShopClientHttp(HttpCalls):
    """The requests that The shop answers."""

    def offer_upload(self, **options: Unpack[CallOptions]) -> Upload:
        """Say how to upload a price list: by a request that is good for five
        minutes, and for this tenant's key alone.
        """
        return self._call(_HTTP_OFFER_UPLOAD, options)

    async def offer_upload_async(self, **options: Unpack[CallOptions]) -> Upload:
        """`offer_upload` from async code, without blocking its loop."""
        return await self._call_async(_HTTP_OFFER_UPLOAD, options)

    def place(self, body: NewOrder, **options: Unpack[CallOptions]) -> Accepted:
        """Take an order and announce it.

        The publisher attaches the session of the request to the message.
        """
        return self._call(_HTTP_PLACE, options, body=body)

    async def place_async(
        self,
        body: NewOrder,
        **options: Unpack[CallOptions],
    ) -> Accepted:
        """`place` from async code, without blocking its loop."""
        return await self._call_async(_HTTP_PLACE, options, body=body)

    def show(self, order_id: str, **options: Unpack[CallOptions]) -> ShownOrder:
        """Show an order of the tenant.

        Raises ServiceFailed:
        - 404: There is no such order: it is stored a moment after it was accepted
        """
        return self._call(_HTTP_SHOW, options, path={"order_id": order_id})

    async def show_async(
        self,
        order_id: str,
        **options: Unpack[CallOptions],
    ) -> ShownOrder:
        """`show` from async code, without blocking its loop."""
        return await self._call_async(_HTTP_SHOW, options, path={"order_id": order_id})


class ShopClientActions(InvokeCalls):
    """The actions of The shop."""

    def rebuild(self, **options: Unpack[InvokeOptions]) -> Totals:
        """Add up the tenant's orders anew, for whoever invokes the function
        directly.
        """
        return self._invoke(_INVOKE_REBUILD, None, options)

    async def rebuild_async(self, **options: Unpack[InvokeOptions]) -> Totals:
        """`rebuild` from async code, without blocking its loop."""
        return await self._invoke_async(_INVOKE_REBUILD, None, options)

    def rebuild_event(self, **options: Unpack[InvokeOptions]) -> None:
        """Let Lambda call `rebuild` later, once or more; its result is not returned."""
        self._hand_over(_INVOKE_REBUILD, None, options)

    async def rebuild_event_async(self, **options: Unpack[InvokeOptions]) -> None:
        """`rebuild_event` from async code, without blocking its loop."""
        await self._hand_over_async(_INVOKE_REBUILD, None, options)


class ShopClientQueues:
    """The queues that The shop reads.

    orders: Price an order and write it down.
    """

    def __init__(self, sqs: Sqs | None = None) -> None:
        self._sqs = sqs
        self.orders: SisterQueue[PlacedOrder] = SisterQueue(
            "orders",
            PlacedOrder,
            sqs=self._sqs,
        )


class ShopClientTopics:
    """The topics that The shop reads.

    shipments: Mark an order as shipped: the carrier has its parcel.
    """

    def __init__(self, sns: Sns | None = None) -> None:
        self._sns = sns
        self.shipments: SisterTopic[AskedOrder] = SisterTopic(
            "shipments",
            AskedOrder,
            sns=self._sns,
        )


class ShopClient:
    """The shop, as another service calls it.

    services: calls over HTTP.
    service: what this one is called among them.
    function: the name or ARN of the Lambda function, for its actions.
    invoker: invokes it; by default one made of the environment.
    sqs: sends to queues; by default one made of the environment.
    sns: publishes to topics; by default one made of the environment.

    http: the requests that The shop answers.
    invoke: the actions of The shop.
    queues: the queues that The shop reads.
    topics: the topics that The shop reads.
    """

    def __init__(
        self,
        services: Services | None = None,
        *,
        service: str = "shop",
        function: str = "",
        invoker: Invoker | None = None,
        sqs: Sqs | None = None,
        sns: Sns | None = None,
    ) -> None:
        self.http = ShopClientHttp(services, service)
        self.invoke = ShopClientActions(function, invoker)
        self.queues = ShopClientQueues(sqs)
        self.topics = ShopClientTopics(sns)
