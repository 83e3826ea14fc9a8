"""Call The shop, version 1.0.0, with the session attached.

Made by `junction export client`; do not edit it, export it again. Its HTTP calls
need the extra `http` of the library.
"""

from __future__ import annotations

from dataclasses import dataclass as _dataclass
from datetime import datetime as _datetime
from typing import TYPE_CHECKING
from typing import Literal as _Literal

from adapters.sister import Action as _Action
from adapters.sister import HttpCalls as _HttpCalls
from adapters.sister import InvokeCalls as _InvokeCalls
from adapters.sister import Operation as _Operation
from adapters.sister import SisterQueue as _SisterQueue
from adapters.sister import SisterTopic as _SisterTopic
from router.convert.reading import reader as _reader

if TYPE_CHECKING:
    from typing import Unpack as _Unpack

    from adapters.http import Services as _Services
    from adapters.lambda_invoke import InvokeOptions as _InvokeOptions
    from adapters.lambda_invoke import Invoker as _Invoker
    from adapters.sister import CallOptions as _CallOptions
    from adapters.sns import Sns as _Sns
    from adapters.sqs import Sqs as _Sqs


@_dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """The receipt of an order. It is stored once its message was handled.

    order_id: The number of an order.
    """

    order_id: str
    status: _Literal["accepted"]


@_dataclass(frozen=True, kw_only=True, slots=True)
class AskedOrder:
    """The order that a client or the carrier speaks of.

    order_id: The number of an order.
    """

    order_id: str


@_dataclass(frozen=True, kw_only=True, slots=True)
class NewOrder:
    """An order that a customer places.

    product: The name of a product, as the price list has it.
    quantity: How many of it.
    """

    product: str
    quantity: int = 1


@_dataclass(frozen=True, kw_only=True, slots=True)
class PlacedOrder:
    """An order on its way from the request to the table.

    order_id: The number of an order.
    product: The name of a product, as the price list has it.
    quantity: How many of it.
    """

    order_id: str
    product: str
    quantity: int


@_dataclass(frozen=True, kw_only=True, slots=True)
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
    status: _Literal["open", "billed", "paid", "shipped", "expired"]
    placed_at: _datetime


@_dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """The orders of a tenant, added up.

    unpaid: How many of them are open or billed.
    total: An amount, with two decimals.
    """

    tenant: str
    orders: int
    unpaid: int
    total: str


@_dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A request that uploads a price list, for five minutes and for this tenant
    alone.

    headers: Those that have to be sent along.
    """

    method: str
    url: str
    headers: dict[str, str]


_HTTP_OFFER_UPLOAD: _Operation[Upload] = _Operation(
    "POST",
    "/price-lists",
    {"200": _reader(Upload)},
)
_HTTP_PLACE: _Operation[Accepted] = _Operation(
    "POST",
    "/orders",
    {"202": _reader(Accepted)},
)
_HTTP_SHOW: _Operation[ShownOrder] = _Operation(
    "GET",
    "/orders/{order_id}",
    {"200": _reader(ShownOrder)},
)
_INVOKE_REBUILD: _Action[Totals] = _Action("rebuild", _reader(Totals))


class ShopClientHttp(_HttpCalls):
    """The requests that The shop answers."""

    def offer_upload(self, **options: _Unpack[_CallOptions]) -> Upload:
        """Say how to upload a price list: by a request that is good for five
        minutes, and for this tenant's key alone.
        """
        return self._call(_HTTP_OFFER_UPLOAD, options)

    async def offer_upload_async(self, **options: _Unpack[_CallOptions]) -> Upload:
        """`offer_upload` from async code, without blocking its loop."""
        return await self._call_async(_HTTP_OFFER_UPLOAD, options)

    def place(self, body: NewOrder, **options: _Unpack[_CallOptions]) -> Accepted:
        """Take an order and announce it.

        The publisher attaches the session of the request to the message.
        """
        return self._call(_HTTP_PLACE, options, body=body)

    async def place_async(
        self,
        body: NewOrder,
        **options: _Unpack[_CallOptions],
    ) -> Accepted:
        """`place` from async code, without blocking its loop."""
        return await self._call_async(_HTTP_PLACE, options, body=body)

    def show(self, order_id: str, **options: _Unpack[_CallOptions]) -> ShownOrder:
        """Show an order of the tenant.

        Raises ServiceFailed:
        - 404: There is no such order: it is stored a moment after it was accepted
        """
        return self._call(_HTTP_SHOW, options, path={"order_id": order_id})

    async def show_async(
        self,
        order_id: str,
        **options: _Unpack[_CallOptions],
    ) -> ShownOrder:
        """`show` from async code, without blocking its loop."""
        return await self._call_async(_HTTP_SHOW, options, path={"order_id": order_id})


class ShopClientActions(_InvokeCalls):
    """The actions of The shop."""

    def rebuild(self, **options: _Unpack[_InvokeOptions]) -> Totals:
        """Add up the tenant's orders anew, for whoever invokes the function
        directly.
        """
        return self._invoke(_INVOKE_REBUILD, None, options)

    async def rebuild_async(self, **options: _Unpack[_InvokeOptions]) -> Totals:
        """`rebuild` from async code, without blocking its loop."""
        return await self._invoke_async(_INVOKE_REBUILD, None, options)

    def rebuild_event(self, **options: _Unpack[_InvokeOptions]) -> None:
        """Let Lambda call `rebuild` later, once or more; its result is not returned."""
        self._hand_over(_INVOKE_REBUILD, None, options)

    async def rebuild_event_async(self, **options: _Unpack[_InvokeOptions]) -> None:
        """`rebuild_event` from async code, without blocking its loop."""
        await self._hand_over_async(_INVOKE_REBUILD, None, options)


class ShopClientQueues:
    """The queues that The shop reads.

    orders: Price an order and write it down.
    """

    def __init__(self, sqs: _Sqs | None = None) -> None:
        self._sqs = sqs
        self.orders: _SisterQueue[PlacedOrder] = _SisterQueue(
            "orders",
            PlacedOrder,
            sqs=self._sqs,
        )


class ShopClientTopics:
    """The topics that The shop reads.

    shipments: Mark an order as shipped: the carrier has its parcel.
    """

    def __init__(self, sns: _Sns | None = None) -> None:
        self._sns = sns
        self.shipments: _SisterTopic[AskedOrder] = _SisterTopic(
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
        services: _Services | None = None,
        *,
        service: str = "shop",
        function: str = "",
        invoker: _Invoker | None = None,
        sqs: _Sqs | None = None,
        sns: _Sns | None = None,
    ) -> None:
        self.http = ShopClientHttp(services, service)
        self.invoke = ShopClientActions(function, invoker)
        self.queues = ShopClientQueues(sqs)
        self.topics = ShopClientTopics(sns)
