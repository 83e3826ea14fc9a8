"""The services that the application talks to. Nothing is connected before it is used, and warm calls use it again.

The environment names all of them. The routes say with `requires=` which they need, and for what.
"""

from __future__ import annotations

import os

from adapters.aws import Aws, Settings
from adapters.sns import Sns
from examples.orders.storage import connections_table, orders_table, prices_table, uploads_bucket

aws = Aws(Settings.from_env())  # region, credentials and endpoints
sns = Sns(aws)
order_events = os.environ["ORDER_EVENTS_TOPIC"]
orders = orders_table(aws, os.environ["ORDERS_TABLE"])
prices = prices_table(aws, os.environ["PRICES_TABLE"])
uploads = uploads_bucket(aws, os.environ["UPLOADS_BUCKET"])
connections = connections_table(aws, os.environ["CONNECTIONS_TABLE"])
