"""Transfer Family asks its identity provider: who is this user, and what may it reach over SFTP, FTPS, FTP or AS2?

A handler returns a `TransferUser`, Transfer Family's own form, or `Deny()`; anything else denies, with an empty answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from router.encode import dumps, plain
from router.errors import ConfigurationError
from router.event import Event
from router.sources import _decisions
from router.sources._decisions import Decision, check_line, undecided
from router.sources._replies import json_bytes, text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from router.event import Source

# The service model of Transfer Family: Policy, MapEntry, SecondaryGids, PosixId.
_LONGEST_POLICY, _LONGEST_PATH, _MOST_GIDS, _LARGEST_ID = 2048, 1024, 16, 2**32 - 1
_KEYS = frozenset(
    ("Role", "Policy", "HomeDirectory", "HomeDirectoryType", "HomeDirectoryDetails", "PublicKeys", "PosixProfile")
)


class TransferLoginEvent(Event):
    """A user who wants to log in. `name` is the id of the server. The payload holds the password: do not log it."""

    __slots__ = ()
    _from_client = True

    @property
    def username(self) -> str:
        """The name that the user gives."""
        return str(self.raw["username"])

    @property
    def password(self) -> str | None:
        """The password; None where the user comes with a key, which Transfer Family holds against `public_keys`."""
        return text_at(self.raw, "password")

    @property
    def protocol(self) -> str:
        """SFTP, FTPS, FTP or AS2."""
        return str(self.raw["protocol"])

    def _name(self) -> str:
        return str(self.raw["serverId"])

    def _source_ip(self) -> str | None:
        return text_at(self.raw, "sourceIp")

    def _parsed(self) -> Any:
        return self.raw

    def _body(self) -> bytes:
        return json_bytes(self, self.raw, "event")

    def _decided(self, decision: Decision) -> dict[str, Any]:
        if decision.allows:
            raise ConfigurationError("transfer: Allow names no role; return TransferUser(role)")
        return {}


class TransferUser:
    """Let a user log in, as what its role may do.

    role: the ARN of the role that reaches the files.
    home: the folder that the user lands in, `/uploads/acme/ann`; or a mapping of what the user sees to what it is,
        `{"/": "/uploads/acme/ann"}`, which shows nothing else.
    policy: what narrows the role down for this session, as a mapping or JSON text.
    public_keys: the user's keys. They are needed where no password came, and must not be given where one did: nobody
        would ask for a key then.
    uid, gid, secondary_gids: the POSIX identity on EFS.

    Raises:
        ConfigurationError: an argument is of another type or form, or too long.
    """

    __slots__ = ("answer",)

    def __init__(
        self,
        role: str,
        *,
        home: str | Mapping[str, str] | None = None,
        policy: Mapping[str, Any] | str | None = None,
        public_keys: str | Iterable[str] = (),
        uid: int | None = None,
        gid: int | None = None,
        secondary_gids: Iterable[int] = (),
    ) -> None:
        answer: dict[str, Any] = {"Role": role}
        if isinstance(home, Mapping):
            details = [{"Entry": entry, "Target": target} for entry, target in home.items()]
            answer |= {"HomeDirectoryType": "LOGICAL", "HomeDirectoryDetails": dumps(details).decode()}
            for path in (path for pair in home.items() for path in pair):
                _check_path(path)
        elif home is not None:
            answer |= {"HomeDirectoryType": "PATH", "HomeDirectory": home}
        if policy is not None:
            answer["Policy"] = dumps(policy).decode() if isinstance(policy, Mapping) else policy
        keys = (public_keys,) if isinstance(public_keys, str) else tuple(public_keys)
        if keys:
            answer["PublicKeys"] = list(keys)
        others = list(secondary_gids)
        if uid is not None or gid is not None or others:
            answer["PosixProfile"] = {"Uid": uid, "Gid": gid, **({"SecondaryGids": others} if others else {})}
        _check(answer)
        self.answer = answer

    def __repr__(self) -> str:
        return f"TransferUser({self.answer['Role']!r})"


def _check(answer: Mapping[str, Any]) -> None:
    """Refuse an answer that Transfer Family does not understand, or that reaches elsewhere than it seems."""
    role, policy, keys = answer["Role"], answer.get("Policy"), answer.get("PublicKeys", [])
    check_line("transfer: the role", role)
    if not role.startswith("arn:") or "role/" not in role:
        raise ConfigurationError(f"transfer: the role must be the ARN of a role, not {role!r:.80}")
    unknown = answer.keys() - _KEYS
    if unknown:
        raise ConfigurationError(f"transfer: the answer has the unknown key {', '.join(sorted(unknown))}")
    if policy is not None and (not isinstance(policy, str) or not 0 < len(policy) <= _LONGEST_POLICY):
        raise ConfigurationError(f"transfer: the policy must be JSON text of at most {_LONGEST_POLICY:,} characters")
    if not isinstance(keys, list) or not all(isinstance(key, str) and key.strip() for key in keys):
        raise ConfigurationError("transfer: the public keys must be a list of text")
    if "HomeDirectory" in answer:
        _check_path(answer["HomeDirectory"])
    details = answer.get("HomeDirectoryDetails")
    if (answer.get("HomeDirectoryType") == "LOGICAL") != (details is not None):
        # One without the other is passed over: the user would see every path that the role reaches.
        raise ConfigurationError("transfer: a LOGICAL home and HomeDirectoryDetails come together")
    if details is not None and (not isinstance(details, str) or details.strip() in ("", "[]")):
        raise ConfigurationError("transfer: HomeDirectoryDetails is JSON text with at least one folder")
    profile = answer.get("PosixProfile")
    if profile is not None:
        _check_profile(profile)


def _check_path(path: Any) -> None:
    check_line("transfer: a path of the home", path)
    if not path.startswith("/") or len(path) > _LONGEST_PATH or ".." in path.split("/"):
        raise ConfigurationError(f"transfer: a path of the home starts with a slash and has no '..': {path!r:.80}")


def _check_profile(profile: Any) -> None:
    ids = profile if isinstance(profile, Mapping) else {}
    others = ids.get("SecondaryGids", [])
    if not isinstance(others, list) or len(others) > _MOST_GIDS:
        raise ConfigurationError(f"transfer: give at most {_MOST_GIDS} secondary group ids")
    for id in (ids.get("Uid"), ids.get("Gid"), *others):
        if type(id) is not int or not 0 <= id <= _LARGEST_ID:
            raise ConfigurationError(f"transfer: uid and gid are whole numbers from 0, both of them, not {id!r:.40}")


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the user who wants to log in."""
    return [TransferLoginEvent(source, raw, context, raw)]


def answer(event: TransferLoginEvent, result: Any) -> Any:
    """Return what the user may reach; an empty answer, which denies, for anything that does not say it."""
    if isinstance(result, TransferUser):
        said: dict[str, Any] = result.answer
    elif type(result) is dict and result.get("Role"):
        said = plain(result)
        _check(said)
    else:
        denies = result is False or result == {} or isinstance(result, Decision)
        if not denies:
            undecided(event.source, event.name, f"returned {type(result).__name__}, which names no role")
        return event._decided(result) if isinstance(result, Decision) else {}
    has_keys = bool(said.get("PublicKeys"))
    if event.password is None and not has_keys:
        undecided(event.source, event.name, "came with a key, and the answer has no public keys")
        return {}
    if event.password is not None and has_keys:
        undecided(
            event.source, event.name, "came with a password, and the answer has public keys, which nobody would ask for"
        )
        return {}
    return plain(said)


failed = _decisions.failed
