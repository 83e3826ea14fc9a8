"""The services that the application talks to. Nothing is connected before it is used, and warm calls use it again.

The environment names all of them where the shop is deployed. Routes say with `requires=` which they need, for what.
"""

from __future__ import annotations

import os

from adapters.aws import Aws, Settings
from adapters.messaging import Topic
from adapters.sns import Sns
from examples.orders.models import PlacedOrder
from examples.orders.storage import (
    CONNECTIONS,
    ORDERS,
    PRICES,
    UPLOADS,
    connections_table,
    orders_table,
    prices_table,
    uploads_bucket,
)

aws = Aws(Settings.from_env())  # region, credentials and endpoints
order_events = Topic(os.environ.get("ORDER_EVENTS_TOPIC", "order-events"), PlacedOrder, sns=Sns(aws))
orders = orders_table(aws, os.environ.get("ORDERS_TABLE", ORDERS))
prices = prices_table(aws, os.environ.get("PRICES_TABLE", PRICES))
uploads = uploads_bucket(aws, os.environ.get("UPLOADS_BUCKET", UPLOADS))
connections = connections_table(aws, os.environ.get("CONNECTIONS_TABLE", CONNECTIONS))
