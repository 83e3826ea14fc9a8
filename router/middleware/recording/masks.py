"""`Masks`: take secrets out of a payload and its answer so that both can still be sent and compared.

The rules are those of `router.telemetry.Redact`. Unlike there nothing is cut, kinds stay (a number becomes 0, a text
`***`), and base64, forms and parts of forms are looked into, as handlers will read them again.
"""

from __future__ import annotations

import re

from router.errors import ConfigurationError
from router.middleware.recording.secrets import secrets_in
from router.middleware.recording.texts import CREDENTIALS, Texts
from router.telemetry.redaction import Redact, plain_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Around = tuple[str, ...]  # the names that a value stands in, as rules count them
    Place = tuple[str, ...]  # the same, as they are written

MASK = "***"
LOOKS = "(looks like a credential)"
"""The rule of what is masked without a name."""
ALWAYS = (
    *("authorization", "proxy-authorization", "authorizationToken", "cookie", "cookies", "set-cookie"),
    *("x-api-key", "api-key", "password", "passwd", "secret", "client-secret", "secret-access-key", "access-key-id"),
    *("access-key", "access-token", "refresh-token", "id-token", "session-token", "api-access-token", "consent-token"),
    *("bearer-token", "private-key", "x-amz-security-token", "x-amz-signature", "x-amz-credential", "x-csrf-token"),
    *("receipt-handle", "task-token"),  # of SQS and Step Functions: who has one may end what it stands for
    "sig",  # of a signed session
)
"""The names whose values no recording holds, beside those that `redact=` names."""

# The kinds of values in DynamoDB's JSON, which say nothing about where a value stands.
_KINDS = {"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}
_NUMBERS = {"N", "NS"}
_BYTES = {"B", "BS"}
# What stands beside a masked value and says how to read it.
_BESIDE = {"datatype", "type", "key", "name"}
_SHORTEST = 8  # characters of a credential that has no name
_TOKEN = 15  # of one that may be the name of something else
_IN_BASE64 = "Kioq"  # the mask


class Found:
    """The outcome of one look.

    value: what was looked at, without secrets. hits: how often each rule found something.
    places: where masks are, such as `payload.headers.authorization`. had_masks: whether the payload had some before.
    """

    __slots__ = ("had_masks", "hits", "places", "value")

    def __init__(self, value: Any, hits: dict[str, int], places: list[str], had_masks: bool) -> None:
        self.value = value
        self.hits = hits
        self.places = places
        self.had_masks = had_masks


class Masks:
    """Mask the values of named fields in JSON data, and the same values wherever else they are.

    rules: as `Redact` takes them, beside those of `ALWAYS`.
    keep: names of `ALWAYS` that are not masked.

    Raises:
        ConfigurationError: a rule can never match, or `keep` has another name.
    """

    def __init__(self, rules: Iterable[str] = (), *, keep: Iterable[str] = ()) -> None:
        for what, given in (("redact", rules), ("keep", keep)):
            if isinstance(given, str):
                raise ConfigurationError(f"{what}={given!r:.80}: give a list")
        self.rules = tuple(dict.fromkeys(rules))
        left = {plain_name(name) for name in keep}
        unknown = left - {plain_name(name) for name in ALWAYS}
        if unknown:
            raise ConfigurationError(
                f"keep={sorted(unknown)}: use names that are masked by default: {', '.join(ALWAYS)}"
            )
        self.keep = tuple(name for name in ALWAYS if plain_name(name) in left)
        self.redact = Redact([*self.rules, *(name for name in ALWAYS if name not in self.keep)], mask=MASK)

    def apply(self, value: Any, secrets: Iterable[str] = ()) -> Found:
        """Return a value without what the rules name. The value itself is not changed.

        value: JSON data.
        secrets: texts that are masked wherever they are.

        Raises:
            RecursionError: it is nested too deep.
        """
        look = Look(self.redact)
        masked = look.of(value, (), ())
        known = [text for text in {*look.secrets, *secrets} if text]
        if known:
            longest_first = sorted(known, key=len, reverse=True)
            masked = _Elsewhere(re.compile("|".join(map(re.escape, longest_first)))).of(masked, (), ())
        return Found(masked, look.hits, list(dict.fromkeys(look.places)), look.had_masks)


class Look:
    """One look through a value. `put` may be another text than the mask: what is filled in for it."""

    def __init__(self, redact: Redact, put: Any = MASK) -> None:
        self._redact = redact
        self._put = put
        self._texts = Texts(self)
        self.hits: dict[str, int] = {}
        self.places: list[str] = []
        self.secrets: set[str] = set()
        self.had_masks = False

    def of(self, value: Any, around: Around, place: Place) -> Any:
        """Return a value without what the rules name in it: itself, where they name nothing.

        around: the names of what it stands in. place: the same, as they are written.
        """
        if isinstance(value, str):
            return self._texts.of(value, around, place)
        if isinstance(value, dict):
            return self._members(value, around, place)
        if isinstance(value, list | tuple):
            return self._list(value, around, place)
        return value

    def named(self, name: str, around: Around) -> str | None:
        """Return the rule that names a field; None for none."""
        return self._redact.rule_of(name, around)

    def loose(self, text: str, place: Place) -> str:
        """Return a text that has no form without the values after names that rules name."""
        masked = self._redact.after_names(text) if "=" in text or ":" in text else text
        if masked != text:
            for rule in self._redact.rules:
                if Redact([rule]).after_names(text) != text:
                    self.hit(rule, place)
        if len(masked) < _SHORTEST:
            return masked
        return CREDENTIALS.sub(lambda found: str(self.mask(found[0], LOOKS, place)), masked)

    def hit(self, rule: str, place: Place) -> None:
        """Count what a rule found."""
        self.hits[rule] = self.hits.get(rule, 0) + 1
        self.places.append(".".join(place))

    def mask(self, held: Any, rule: str, place: Place) -> Any:
        """Return the mask of a value, of the same kind."""
        self.hit(rule, place)
        made = self.masked(held)
        if made == held and place[:1] == ("payload",) and MASK in str(held):
            self.had_masks = True
        return made

    def _members(self, value: dict[str, Any], around: Around, place: Place) -> Any:
        if "value" in value or "Value" in value:
            value = self._pair(value, around, place)
        made = {self._name(name, place): self._member(name, held, around, place) for name, held in value.items()}
        same = made.keys() == value.keys() and all(made[name] is value[name] for name in value)
        return value if same else made

    def _name(self, name: str, place: Place) -> str:
        """Return a name as it is, unless it is a token or a key by its look: what has other names is not read again."""
        if len(name) < _TOKEN:
            return name
        return CREDENTIALS.sub(lambda found: str(self.mask(found[0], LOOKS, place)), name)

    def _member(self, name: str, held: Any, around: Around, place: Place) -> Any:
        rule = self.named(name, around)
        if rule is not None and held is not None:
            return self.mask(held, rule, (*place, name))
        # Of DynamoDB's JSON the kind of a value is no name.
        inside = around if name in _KINDS else (*around, plain_name(name))
        return self.of(held, inside, (*place, name))

    def _pair(self, value: dict[str, Any], around: Around, place: Place) -> dict[str, Any]:
        """Return `{"name": "authorization", "value": ...}` with its value masked."""
        for key in ("name", "key", "Name", "Key"):
            name = value.get(key)
            held = next((one for one in ("value", "Value") if one in value), None)
            if isinstance(name, str) and held is not None and (rule := self.named(name, around)) is not None:
                return {**value, held: self.mask(value[held], rule, (*place, name))}
        return value

    def _list(self, value: Any, around: Around, place: Place) -> Any:
        if len(value) == 2 and isinstance(value[0], str) and (rule := self.named(value[0], around)) is not None:
            return [value[0], self.mask(value[1], rule, (*place, value[0]))]
        made = [self.of(held, around, place) for held in value]
        return made if any(new is not old for new, old in zip(made, value, strict=True)) else value

    def masked(self, held: Any, kind: str = "") -> Any:
        """Return what stands for a value. kind: of a value of DynamoDB."""
        if isinstance(held, dict):
            if all(name in _KINDS for name in held):
                return {name: self.masked(one, name) for name, one in held.items()}
            numeric = str(held.get("dataType") or held.get("Type") or "").startswith("Number")
            return {
                name: one if plain_name(name) in _BESIDE else self.masked(one, "N" if numeric else "")
                for name, one in held.items()
            }
        if isinstance(held, list | tuple):
            # Bytes, as Kafka's headers are; noughts are masks of numbers already.
            if any(held) and all(type(one) is int and -128 <= one <= 255 for one in held):
                return list(MASK.encode())
            return [self.masked(one, kind) for one in held]
        return self._leaf(held, kind)

    def _leaf(self, held: Any, kind: str) -> Any:
        self._remember(held)
        if isinstance(held, bool):
            return False
        if isinstance(held, int | float):
            return type(held)(0)
        if not isinstance(held, str):
            return held
        if self._put == MASK and kind in _NUMBERS:
            return "0"
        return _IN_BASE64 if self._put == MASK and kind in _BYTES else self._put

    def _remember(self, held: Any) -> None:
        """Keep a secret, to mask it elsewhere: in an error, in an answer, in a path."""
        if isinstance(held, str | int) and not isinstance(held, bool):
            self.secrets |= secrets_in(str(held))


class _Elsewhere(Look):
    """A look for secrets that are known, wherever they are."""

    def __init__(self, known: re.Pattern[str]) -> None:
        super().__init__(Redact(["authorization"]))
        self._known = known

    def named(self, name: str, around: Around) -> None:
        """Name nothing."""

    def loose(self, text: str, place: Place) -> str:
        """Return a text without the secrets."""
        return self._known.sub(MASK, text)
