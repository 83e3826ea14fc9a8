"""An application with repositories, for the command `indexes`; the environment says where MongoDB is."""

from __future__ import annotations

import os

from adapters.mongo.index import Index
from adapters.mongo.mongo import Mongo
from adapters.mongo.repository import Repository
from router import Resolver

resolver = Resolver()
mongo = Mongo()
orders = Repository(mongo, "orders", indexes=[Index("sku", "-placed"), Index("number", unique=True)])
log = Repository(mongo, "log", indexes=[Index("at")], database=os.environ["LOG_DATABASE"])
text = "not one"
