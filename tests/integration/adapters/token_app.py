"""An application with tokens, for `junction tokens`; the environment says where they are."""

from __future__ import annotations

import os

from adapters.mongo import Mongo
from adapters.tokens import DynamoDBTokenStore, MongoTokenStore, Tokens

in_mongodb = Tokens(MongoTokenStore(Mongo(), database=os.environ["TOKENS"]))
in_dynamodb = Tokens(DynamoDBTokenStore(table=os.environ["TOKENS"]))
