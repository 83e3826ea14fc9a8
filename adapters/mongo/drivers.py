"""The drivers: which class a client is of, and the options it is made with. Nothing else here imports them."""

from __future__ import annotations

from datetime import UTC

from adapters.mongo.document_errors import ClusterUnavailable
from adapters.mongo.driver_errors import driver_missing, failed_lookup
from adapters.mongo.mongo_settings import checked_uri, hosts_of
from router.durations import seconds
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from typing import Any

    from adapters.mongo.mongo_settings import Cluster
    from router.durations import Duration

_registry: Any = None


def sync_client(name: str, cluster: Cluster) -> Any:
    """Return a MongoClient for a cluster."""
    try:
        from pymongo import MongoClient
    except ImportError:
        raise driver_missing() from None
    return _new_client(MongoClient, name, cluster)


def async_client(driver: str, name: str, cluster: Cluster, loop: AbstractEventLoop, uri: str | None = None) -> Any:
    """Return a client of an async driver, which belongs to the running event loop.

    uri: where it was asked for before.
    """
    try:
        if driver == "pymongo":
            from pymongo import AsyncMongoClient

            return _new_client(AsyncMongoClient, name, cluster, uri)
        from motor.motor_asyncio import AsyncIOMotorClient
    except ImportError:
        raise driver_missing() from None
    return _new_client(AsyncIOMotorClient, name, cluster, uri, io_loop=loop)


def _new_client(kind: Any, name: str, cluster: Cluster, uri: str | None = None, **further: Any) -> Any:
    if uri is None:
        uri = cluster.uri() if callable(cluster.uri) else cluster.uri
    uri = checked_uri(uri, f"the cluster {name}")
    try:
        return kind(uri, **{**_options(uri, cluster), **cluster.options, **further})
    except Exception as error:
        looked_up, why = failed_lookup(error), _why(error, cluster)
    if looked_up:
        message = f"mongodb on {name} ({hosts_of(uri)}): its hosts cannot be looked up ({looked_up})"
        raise ClusterUnavailable(message, resource=name, code=looked_up)
    raise ConfigurationError(f"the cluster {name}: its connection string or options are not valid ({why})")


def _why(error: Exception, cluster: Cluster) -> str:
    """Return why the driver refuses to make a client. Its own text may quote a part of a password."""
    text, kind = str(error).lower(), type(error).__name__
    options = [option for option in cluster.options if option.lower() in text]
    if options:
        return f"{kind}: the option {', '.join(options)}"
    return f"{kind}: is the password percent-encoded?" if kind in ("InvalidURI", "ValueError") else kind


def _options(uri: str, cluster: Cluster) -> dict[str, Any]:
    """Return the options of a client, except those set in the connection string."""
    from urllib.parse import parse_qsl

    stated = {option.lower() for option, _ in parse_qsl(uri.partition("?")[2], keep_blank_values=True)}
    milliseconds = _milliseconds(cluster.timeout)
    options = {
        "serverSelectionTimeoutMS": milliseconds,
        "connectTimeoutMS": milliseconds,
        "socketTimeoutMS": _milliseconds(cluster.operation_timeout),
        "maxPoolSize": cluster.connections,
        "maxIdleTimeMS": _milliseconds(cluster.idle),
        "uuidRepresentation": "standard",
        "tz_aware": True,
        "tzinfo": UTC,
    }
    return {
        **{option: value for option, value in options.items() if option.lower() not in stated},
        "type_registry": _types(),
    }


def _milliseconds(duration: Duration) -> int:
    return int(seconds(duration, "Cluster") * 1000)


def repository_options(client: Any) -> Any:
    """Return how the collections of repositories read: as the client does, but without a decoder of decimals.

    With one the driver decodes every answer twice; `values.with_decimals` stands in for it, and `values.encode` for the
    encoder. An application's own types stay.
    """
    options = client.codec_options
    return options.with_options(type_registry=None) if options.type_registry is _registry else options


def _types() -> Any:
    """Lets Decimal be stored as Decimal128, exactly, and read back as Decimal, in the driver's own collections."""
    global _registry
    if _registry is None:
        from decimal import Decimal

        from bson.codec_options import TypeCodec, TypeRegistry
        from bson.decimal128 import Decimal128

        class DecimalCodec(TypeCodec):
            python_type = Decimal
            bson_type = Decimal128

            def transform_python(self, value: Decimal) -> Decimal128:
                return Decimal128(value)

            def transform_bson(self, value: Decimal128) -> Decimal:
                return value.to_decimal()

        _registry = TypeRegistry([DecimalCodec()])
    return _registry
