"""`Schema`: the models of one table, and how their items and keys look in it. It does no I/O."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import unquote

from adapters._codec.fields import Unstorable, checked_text
from adapters.dynamodb.attribute_values import decode, decode_item
from adapters.dynamodb.item_errors import InvalidKey, InvalidKeyValue, InvalidValue, ItemError, UnreadableItem
from adapters.dynamodb.models import Keys, model_of
from adapters.dynamodb.schema_checks import check_schema
from adapters.dynamodb.templates import escaped
from router.errors import ConfigurationError, SessionError, SessionIncomplete
from router.session import get_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from adapters.dynamodb.attribute_values import Attribute
    from adapters.dynamodb.models import Model

# Bytes of UTF-8 (quotas of DynamoDB).
LONGEST_PK, LONGEST_SK = 2048, 1024
_LONGEST_CHARACTER = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """The names of the attributes for the keys, the class of an item and the second in which it expires.

    type: None where items have no such attribute, as those of other programs: their keys tell the classes apart.
    omit_none: whether a field that holds None is left out of the item, in place of being stored as NULL.
    """

    pk: str = "pk"
    sk: str = "sk"
    type: str | None = "_type"
    ttl: str = "_ttl"
    omit_none: bool = False


class Schema:
    """Turns instances into items with keys, and items into instances.

    tenant_prefix: whether each partition key begins with the session's tenant. page_secret: signs page tokens.
    clock: seconds since the epoch.
    """

    def __init__(
        self,
        table: str,
        models: Iterable[type],
        *,
        layout: Layout,
        tenant_prefix: bool = False,
        page_secret: str | bytes = b"",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.table = table
        self.layout = layout
        self.tenant_prefix = tenant_prefix
        self.page_secret = page_secret.encode() if isinstance(page_secret, str) else page_secret
        self.clock = clock
        self.models = [model_of(kind) for kind in models]
        self._by_kind = {model.kind: model for model in self.models}
        self._by_name = {model.name: model for model in self.models}
        self.has_sk = any(model.sk is not None for model in self.models)
        self.indexes: dict[str, dict[type, Keys]] = {}
        for model in self.models:
            for name, keys in _index_keys(model, layout).items():
                self.indexes.setdefault(name, {})[model.kind] = keys
        self._keys = {
            model.kind: Keys(None, model.pk, layout.pk, model.sk, layout.sk if self.has_sk else None)
            for model in self.models
        }
        check_schema(self)

    @property
    def key_attributes(self) -> tuple[str, ...]:
        """The attributes of the table's key."""
        return (self.layout.pk, self.layout.sk) if self.has_sk else (self.layout.pk,)

    @property
    def ttl_attribute(self) -> str:
        """The attribute by which items expire; empty where none of the classes has a `ttl`."""
        return self.layout.ttl if any(model.ttl is not None for model in self.models) else ""

    # ---- models ------------------------------------------------------------------------------------------------

    def model(self, kind: Any) -> Model:
        """Return the model of a class that this table holds. Raises ConfigurationError."""
        model = self._by_kind.get(kind)
        if model is None:
            held = ", ".join(model.kind.__name__ for model in self.models)
            raise ConfigurationError(f"table {self.table} has no {getattr(kind, '__name__', kind)!r}; it has {held}")
        return model

    def models_in(self, index: str | None) -> list[Model]:
        """Return the models of the table, or of an index. Raises ConfigurationError for an index that is not there."""
        if index is None:
            return self.models
        if index not in self.indexes:
            known = ", ".join(self.indexes) or "none"
            raise ConfigurationError(f"table {self.table} has no index {index!r:.100}; it has: {known}")
        return [model for model in self.models if model.kind in self.indexes[index]]

    def keys(self, model: Model, index: str | None) -> Keys:
        """Return the keys of a model, in the table or in an index. Raises ConfigurationError."""
        if index is None:
            return self._keys[model.kind]
        keys = self.indexes.get(index, {}).get(model.kind)
        if keys is None:
            known = ", ".join(model.indexes) or "none"
            raise ConfigurationError(f"{model.kind.__name__} is in no index {index!r:.100}; it is in: {known}")
        return keys

    # ---- tenants -----------------------------------------------------------------------------------------------

    def prefix(self) -> str:
        """Return what each partition key begins with: the current tenant, or nothing.

        Raises:
            SessionIncomplete: the session has no tenant.
            SessionError: no key can hold its tenant.
        """
        if not self.tenant_prefix:
            return ""
        tenant = get_session().tenant
        if not tenant or not isinstance(tenant, str):
            raise SessionIncomplete(
                "tenant",
                f"table {self.table} keeps tenants apart, and the session has no tenant; "
                "name one: with set_session(Session(tenant=...))",
            )
        try:
            return _prefix_of(checked_text(tenant))
        except Unstorable as error:
            raise SessionError(f"table {self.table}: the session's tenant {error}") from None

    # ---- to the table ------------------------------------------------------------------------------------------

    def key(self, model: Model, key: Any, prefix: str) -> dict[str, Attribute]:
        """Return the key of an item. key: its fields, the item itself, or the bare value of an only field."""
        values = model.key_values(key)
        unknown = values.keys() - model.key_names
        if unknown:
            raise InvalidKey(f"{model.kind.__name__}: {min(map(str, unknown))} is not in its key")
        return self._key(model, values, prefix)

    def _key(self, model: Model, values: Mapping[str, Any], prefix: str) -> dict[str, Attribute]:
        layout = self.layout
        key = {layout.pk: {"S": fitting(prefix + model.pk.render(values), LONGEST_PK)}}
        if model.sk is not None:
            key[layout.sk] = {"S": fitting(model.sk.render(values), LONGEST_SK)}
        return key

    def item(self, model: Model, instance: Any, prefix: str) -> dict[str, Attribute]:
        """Return the whole item for an instance: its fields, keys, type and expiry."""
        item = model.codec.write(instance)
        if self.layout.omit_none:
            item = {name: held for name, held in item.items() if "NULL" not in held or not self.left_out(model, name)}
        values: Any = _Fields(instance)
        item.update(self._key(model, values, prefix))
        if self.layout.type is not None:
            item[self.layout.type] = {"S": model.name}
        for name in model.indexes:
            item.update(self.index_key(self.indexes[name][model.kind], values, prefix) or {})
        if model.ttl is not None:
            expiry = self.expiry(model, getattr(instance, model.ttl))
            if expiry is not None:
                item[self.layout.ttl] = expiry
        return item

    def index_key(self, keys: Keys, values: Mapping[str, Any], prefix: str) -> dict[str, Attribute] | None:
        """Return the keys in an index; None where a field of theirs is None, and so the item is not in the index."""
        if not keys.are_filled(values):
            return None
        found: dict[str, Attribute] = {}
        if keys.pk is not None:
            found[keys.pk_attribute] = {"S": fitting(prefix + keys.pk.render(values), LONGEST_PK)}
        if keys.sk is not None and keys.sk_attribute is not None:
            found[keys.sk_attribute] = {"S": fitting(keys.sk.render(values), LONGEST_SK)}
        return found

    def left_out(self, model: Model, field: str) -> bool:
        """Return whether None in a field is stored as nothing.

        Raises InvalidValue where nothing would be read as another value.
        """
        if not self.layout.omit_none:
            return False
        if not model.may_leave_out(field):
            raise InvalidValue(
                f"{model.kind.__name__}.{field}: with Layout(omit_none=True) None is not stored, and would be read as "
                "the default, which is another value"
            )
        return True

    def expiry(self, model: Model, value: Any) -> Attribute | None:
        """Return the second in which an item expires, rounded up; None for never. Raises InvalidValue."""
        if value is None:
            return None
        where = f"{model.kind.__name__}.{model.ttl}"
        if isinstance(value, datetime):
            if value.utcoffset() is None:
                raise InvalidValue(f"{where}: a datetime without a time zone; use datetime.now(UTC)")
            value = value.timestamp()
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not math.isfinite(value):
            raise InvalidValue(
                f"{where}: give an aware datetime or seconds since the epoch, not {type(value).__name__}"
            )
        return {"N": str(math.ceil(value))}

    # ---- from the table ----------------------------------------------------------------------------------------

    def expired(self, item: Mapping[str, Any]) -> bool:
        """Return whether an item has expired; DynamoDB takes up to some days to delete it."""
        expiry = item.get(self.layout.ttl)
        return expiry is not None and "N" in expiry and float(expiry["N"]) <= self.clock()

    def read(self, item: Mapping[str, Any], prefix: str, models: Sequence[Model] = ()) -> Any:
        """Return the instance of a stored item. Raises UnreadableItem.

        models: those that it may be of, by default any of this table's.
        """
        plain = decode_item(item)
        return self._model_of(plain, prefix, models).codec.read(plain)

    def read_some(
        self, item: Mapping[str, Any], prefix: str, models: Sequence[Model], whole: frozenset[str]
    ) -> dict[str, Any]:
        """Return some fields of a stored item. whole: those that are there as a whole."""
        plain = decode_item(item)
        model = self._model_of(plain, prefix, models)
        fields = {name: held for name, held in plain.items() if name in model.codec.names}
        return model.codec.read_some(fields, whole)

    def load(self, image: Mapping[str, Any]) -> Any:
        """Return the instance of an item that is plain values already, such as the image of a stream record.

        A stream belongs to no tenant: the item's own counts, and has to be that of the session where there is one.

        Raises:
            UnreadableItem: it is not of the session's tenant, or of none of the classes.
        """
        if self.layout.pk not in image:
            return self._model_of(image, self.prefix(), ()).codec.read(image)
        tenant = self.tenant_of(image)
        current = get_session().tenant if self.tenant_prefix else None
        if current and current != tenant:
            raise UnreadableItem(f"table {self.table}: the item is not of the session's tenant", resource=self.table)
        return self._model_of(image, "" if tenant is None else _prefix_of(tenant), ()).codec.read(image)

    def tenant_of(self, image: Mapping[str, Any]) -> str | None:
        """Return the tenant in the key of an item; None where the table does not keep tenants apart.

        Raises UnreadableItem for a key without one.
        """
        if not self.tenant_prefix:
            return None
        key = image.get(self.layout.pk)
        before, _, rest = key.partition("#") if isinstance(key, str) else ("", "", "")
        tenant = unquote(rest.partition("#")[0])
        if before != "tenant" or not tenant or not str(key).startswith(_prefix_of(tenant)):
            raise UnreadableItem(f"table {self.table}: the key of the item holds no tenant", resource=self.table)
        return tenant

    def _model_of(self, plain: Mapping[str, Any], prefix: str, models: Sequence[Model]) -> Model:
        """Return the model of an item; it must be the tenant's, and of one of the models."""
        if prefix:
            self._check_tenant(plain, prefix)
        model = self.model_told(plain, prefix)
        if model is None or (models and model not in models):
            expected = " or ".join(one.kind.__name__ for one in models) or "any class of this table"
            raise UnreadableItem(
                f"table {self.table}: the item is {self._told(plain, model, expected)}", resource=self.table
            )
        return model

    def model_told(self, plain: Mapping[str, Any], prefix: str) -> Model | None:
        """Return the model that an item is of, by its type or, without types, by its key; None for none."""
        if self.layout.type is None:
            return next((model for model in self.models if self.has_key_of(model, plain, prefix)), None)
        name = plain.get(self.layout.type)
        return self._by_name.get(name) if isinstance(name, str) else None

    def has_key_of(self, model: Model, plain: Mapping[str, Any], prefix: str) -> bool:
        """Return whether an item is where those of a model are."""
        pk, sk = plain.get(self.layout.pk), plain.get(self.layout.sk)
        if not isinstance(pk, str) or not pk.startswith(prefix) or not model.pk.fits(pk[len(prefix) :]):
            return False
        return model.sk is None or (isinstance(sk, str) and model.sk.fits(sk))

    def _told(self, plain: Mapping[str, Any], model: Model | None, expected: str) -> str:
        if model is not None:
            return f"a {model.kind.__name__}, not {expected}"
        if self.layout.type is None:
            return f"under a key that no class of this table has, not {expected}"
        name = plain.get(self.layout.type)
        advice = "; another program wrote it: Layout(type=None) reads those" if name is None else ""
        return f"{self.layout.type}={name!r:.100}, not {expected}{advice}"

    def _check_tenant(self, plain: Mapping[str, Any], prefix: str) -> None:
        """The last line of defence: what is read belongs to the tenant, whatever the request was."""
        key = plain.get(self.layout.pk)
        if not isinstance(key, str) or not key.startswith(prefix):
            raise UnreadableItem(f"table {self.table}: the item is not of the session's tenant", resource=self.table)

    def old(self, item: Mapping[str, Any] | None, prefix: str) -> Any:
        """Return the instance that made a condition fail, for an error; None if there is none or it cannot be read."""
        if not item or self.expired(item):
            return None
        try:
            return self.read(item, prefix)
        except ItemError:
            return None

    def is_of(self, item: Mapping[str, Any], model: Model) -> bool:
        """Return whether what is stored under a model's key is of it."""
        return self.layout.type is None or decode(item.get(self.layout.type, {"NULL": True})) == model.name


class _Fields:
    """The fields of an instance as a mapping, without a copy of them."""

    __slots__ = ("_instance",)

    def __init__(self, instance: Any) -> None:
        self._instance = instance

    def __contains__(self, name: str) -> bool:
        return True

    def __getitem__(self, name: str) -> Any:
        return getattr(self._instance, name)


def _prefix_of(tenant: str) -> str:
    return f"tenant#{escaped(tenant)}#"


def _index_keys(model: Model, layout: Layout) -> dict[str, Keys]:
    found: dict[str, Keys] = {}
    for name, index in model.indexes.items():
        pk, sk = model.templates_of(index)
        pk_attribute = layout.pk if pk is None else index.pk_attribute or f"{name}_pk"
        sk_attribute = None if sk is None else index.sk_attribute or f"{name}_sk"
        found[name] = Keys(name, pk, pk_attribute, sk, sk_attribute)
    return found


def fitting(key: str, longest: int) -> str:
    """Return a key that is not too long for DynamoDB. Raises InvalidKeyValue."""
    if len(key) * _LONGEST_CHARACTER > longest and len(key.encode()) > longest:
        raise InvalidKeyValue(f"a key is of {len(key.encode())} bytes, and DynamoDB takes {longest}")
    return key
