"""Applications for the tests of `junction check`."""

from __future__ import annotations

from collections.abc import Sequence

from router import Resolver, Router
from router.environment import S3, SQS, DynamoDB, Environment

FILE = "calls.json"


class Down:
    """A store that does not answer."""

    path = "/{name}"

    def read(self, paths: object) -> dict[str, str]:
        raise ConnectionError("the store is down")


class Shelf:
    """A store with a secret."""

    path = "/{stage}/{name}"

    def read(self, paths: Sequence[str]) -> dict[str, str]:
        return {path: "hunter2" for path in paths if path == "/prod/CHECK_KEY"}


def handler() -> None:
    """Do nothing."""


resolver = Resolver(requires={"CHECK_KEY": []}, environment=Environment(stage="prod", stores=[Shelf()]))
orders = Router("/orders", requires={"CHECK_TABLE": [DynamoDB.QUERY]})
orders.get("/{order_id}", requires={"CHECK_TABLE": [DynamoDB.GET_ITEM]})(handler)
resolver.include(orders)
resolver.on_queue("orders", requires={"CHECK_QUEUE": [SQS.SEND_MESSAGE], "CHECK_BUCKET": [S3.GET_OBJECT]})(handler)
resolver.get("/health", requires={})(handler)

plain = Resolver()
plain.get("/a")(handler)
plain.get("/b", requires={})(handler)
plain.unpack("inbox")

wrong = Resolver(requires={"PATH": ["dynamodb:GetItm", "s3:HeadObject", "kms:Decrypt", "own-service:DoIt"]})
down = Resolver(requires=["CHECK_KEY", "PATH"], environment=Environment(stores=[Down()]))
