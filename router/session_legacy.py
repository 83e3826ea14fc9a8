"""`LegacySessions`: the sessions of services that are not of this library yet, read and written beside our own.

For the months in which a fleet is mixed. Nothing here is imported without `SessionPolicy(legacy=...)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType

from router.errors import ConfigurationError, SessionError
from router.session_sources import PRODUCED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from router.event import Event
    from router.session import Session

OWN_ATTRIBUTE = "junction-session"
"""The attribute, payload key and metadata key of our own form, where the usual one holds the old form."""

OWN_VARIABLE = "JUNCTION_SESSION"
"""The variable of a task that holds our own form, where `SESSION` holds the old one."""

JSON, BASE64 = "json", "base64"
# Where the old form may be written, and how. A payload is JSON itself: there the session is an object in it.
_HOPS = {"message": (JSON, BASE64), "task": (JSON, BASE64), "invoke": (JSON,), "execution": (JSON,)}
_told: set[tuple[str, ...]] = set()  # what the log has been told of


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacySessions:
    """Describe the sessions of older services: an object with the tenant, and an object that tells the user.

    The defaults are those of aws-python-helper: `{"state": "acme", "user": {"_id": "u1", "role": "admin"}}`.

    tenant: the field that names the tenant.
    user: the field that tells the user: a text, or an object of which `user_id` is the user, and the rest are claims.
    user_id: the field of that object which holds the user's id, a text or a number.
    drop: fields of that object which no session keeps.
    attribute: the message attribute and payload key that carries them. A task has them in `SESSION`.
    body_fields: fields of a message's body that hold the tenant's name alone, the first one that does counts:
        "constitution_state", or "content.constitution_state" for one inside another. They are asked last.
    write: where the old form goes out beside our own, and how: `{"message": "base64", "task": "json", "invoke":
        "json"}`. The hops are message (SNS and SQS), task, invoke and execution. A publisher with
        `policy=policy.with_legacy(...)` writes another.

    Raises:
        ConfigurationError: a name is empty or no text, or a hop or an encoding is unknown.
    """

    tenant: str = "state"
    user: str = "user"
    user_id: str = "_id"
    drop: Iterable[str] = ("password", "hashed_password")
    attribute: str = "session"
    body_fields: Iterable[str] = ()
    write: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for several in ("drop", "body_fields"):
            held = getattr(self, several)
            object.__setattr__(self, several, (held,) if isinstance(held, str) else tuple(held))
        texts = (self.tenant, self.user, self.user_id, self.attribute, *self.drop, *self.body_fields)
        if not all(type(text) is str and text for text in texts):
            raise ConfigurationError("LegacySessions(...): names of fields are texts that are not empty")
        object.__setattr__(self, "write", MappingProxyType(dict(self.write)))
        for hop, encoding in self.write.items():
            if encoding not in _HOPS.get(hop, ()):
                known = "; ".join(f"{name}: {' or '.join(encodings)}" for name, encodings in _HOPS.items())
                raise ConfigurationError(f"LegacySessions(write={{{hop!r}: {encoding!r}}}): possible are {known}")

    # ---- reading -----------------------------------------------------------------------------------------------

    def in_body(self, event: Event) -> dict[str, Any] | None:
        """Return the old form of a session of which a body holds the tenant's name alone; None for no such field."""
        if not self.body_fields or event.source not in PRODUCED:
            return None
        held: Any = event.new or event.old
        if held is None:
            try:
                held = event.json()
            except event._unreadable:
                return None
        names = (_inside(held, path.split(".")) for path in self.body_fields)
        return next(({self.tenant: name} for name in names if name and type(name) is str), None)

    def fields(self, wire: Any) -> tuple[Any, bool]:
        """Return the fields of a session as ours are called, and whether they were in the old form.

        wire: a session in either form: JSON, Base64 of JSON, or parsed already.

        Raises:
            SessionError: it is neither JSON nor Base64 of JSON, or the user's id is of another kind.
        """
        held = _parsed(wire)
        if type(held) is not dict or self._is_ours(held):
            return held, False
        own = {name: value for name, value in held.items() if name not in (self.tenant, self.user)}
        own["tenant"], user = held.get(self.tenant), held.get(self.user)
        if type(user) is dict:
            own["user"] = _id(user.get(self.user_id), f"{self.user}.{self.user_id}")
            left_out = (self.user_id, *self.drop)
            own["claims"] = {name: value for name, value in user.items() if name not in left_out}
        else:
            own["user"] = user
        return own, True

    def _is_ours(self, held: dict[str, Any]) -> bool:
        if type(held.get(self.user)) is dict:
            return False
        return bool(held) and (self.tenant not in held or (self.tenant != "tenant" and "tenant" in held))

    def is_envelope(self, payload: dict[str, Any]) -> bool:
        """Whether a payload with `data` is the old envelope of a call: it has a session, or nothing else."""
        return self.attribute in payload or len(payload) == 1

    def note(self, event: Event, signing: bool) -> None:
        """Tell the log, once for each place, that a session in the old form was believed.

        signing: whether sessions are signed: then it is a warning, for this one was not.
        """
        _tell(
            (event.source.value, event.name),
            "%s %s: sessions come in the old form%s",
            event.source.value,
            ascii(event.name[:200]),
            ", unsigned, and unsigned_from= believes them" if signing else "",
            warn=signing,
        )

    # ---- writing -----------------------------------------------------------------------------------------------

    def written(self, session: Session | None, purpose: str, signing: bool) -> str | None:
        """Return the old form of a session, where it goes out on this hop; else None.

        An old consumer of messages that finds no session works on with that of the record before. So a message of
        nobody says so: its session is empty.

        session: whose it is; None is nobody's.
        purpose: the hop.
        signing: whether sessions are signed: then the log is told that this one is not.
        """
        encoding = self.write.get(purpose)
        if encoding is None:
            return None
        held = {} if session is None else self._old_fields(session)
        if not held and purpose != "message":
            return None
        if signing:
            _tell(("write", purpose), "sessions also go out in the old form, unsigned: %s", purpose, warn=True)
        from router.encode import dumps

        text = dumps(held)
        if encoding == JSON:
            return text.decode()
        from base64 import b64encode

        return b64encode(text).decode()

    def _old_fields(self, session: Session) -> dict[str, Any]:
        held: dict[str, Any] = {
            name: value for name, value in session.attributes.items() if name not in (self.tenant, self.user)
        }
        if session.tenant is not None:
            held[self.tenant] = session.tenant
        if session.user is not None or session.claims:
            known = {} if session.user is None else {self.user_id: session.user}
            held[self.user] = {**session.claims, **known}
        return held


def _tell(key: tuple[str, ...], message: str, *arguments: str, warn: bool) -> None:
    if key in _told:
        return
    _told.add(key)
    from logging import INFO, WARNING, getLogger

    getLogger("router").log(WARNING if warn else INFO, message, *arguments)


def _parsed(wire: Any) -> Any:
    """Return the JSON value of a session's text, which may be Base64."""
    if type(wire) is bytes:
        wire = wire.decode("utf-8", "replace")
    if type(wire) is not str:
        return wire
    import orjson

    text: str | bytes = wire
    if not wire.lstrip().startswith("{"):
        from base64 import b64decode

        try:
            text = b64decode(wire, validate=True)
        except ValueError:
            pass  # said below: it is no JSON either
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SessionError(f"session: neither JSON nor Base64 of JSON ({error})") from None


def _inside(held: Any, path: list[str]) -> Any:
    """Return what stands under some keys, one inside the other; None for nothing."""
    for key in path:
        held = held.get(key) if type(held) is dict else None
    return held


def _id(value: Any, where: str) -> str | None:
    """Return a user's id as text. BSON's extended JSON wraps an ObjectId."""
    if type(value) is dict and len(value) == 1:
        value = value.get("$oid")
        if value is None:
            raise SessionError(f"session.{where}: expected a string or a number, got dict")
    if value is None or type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    raise SessionError(f"session.{where}: expected a string or a number, got {type(value).__name__}")
