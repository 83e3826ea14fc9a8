"""The services that the application talks to. Nothing is connected before it is used, and warm calls use it again."""

from __future__ import annotations

from adapters.aws import Aws, Settings
from adapters.sns import Sns
from examples.orders.storage import connections_table, orders_table, prices_table, uploads_bucket

aws = Aws(Settings.from_env())  # region, credentials and endpoints
sns = Sns(aws)
orders = orders_table(aws)
prices = prices_table(aws)
uploads = uploads_bucket(aws)
connections = connections_table(aws)
