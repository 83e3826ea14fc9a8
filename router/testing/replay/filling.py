"""Put something into the place of masks before a recording is sent: values of the test, and signatures."""

from __future__ import annotations

import json

from router.errors import ConfigurationError, SessionError
from router.middleware.recording.masks import MASK, Look
from router.signing import is_signed
from router.telemetry.redaction import Redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from router.middleware.recording.masks import Around, Place

_MASKS = (MASK, "0", 0, "Kioq")


def filled(payload: Any, values: Mapping[str, Any], used: set[str]) -> Any:
    """Return a payload with values in the place of masks.

    values: by rule, as `Redact` takes them. used: is given the rules that met a mask.
    """
    for rule, value in values.items():
        look = _Fill(Redact([rule]), value)
        payload = look.of(payload, (), ())
        if look.filled:
            used.add(rule)
    return payload


def signed_again(payload: Any, policy: Any) -> Any:
    """Return a payload whose sessions are signed with the keys of this process, where the signature is masked.

    policy: of the resolver.
    """
    return payload if policy.signing is None else _Sign(policy).of(payload, (), ())


class _Fill(Look):
    """A look that puts a value where a mask is."""

    def __init__(self, redact: Redact, value: Any) -> None:
        super().__init__(redact, value)
        self.filled = False

    def loose(self, text: str, place: Place) -> str:
        """Return a text as it is: in one without a form it is not known what a mask is for."""
        return text

    def _leaf(self, held: Any, kind: str) -> Any:
        if isinstance(held, bool) or held not in _MASKS:
            return held
        self.filled = True
        return _number_of(self._put) if isinstance(held, int) else self._put


def _number_of(put: Any) -> Any:
    """Return what takes the place of a number: a number, where it is written as one."""
    try:
        return json.loads(put) if isinstance(put, str) else put
    except ValueError:
        return put


class _Sign(Look):
    """A look that signs sessions."""

    def __init__(self, policy: Any) -> None:
        super().__init__(Redact(["sig"]))
        self._policy = policy

    def named(self, name: str, around: Around) -> None:
        """Name nothing."""

    def loose(self, text: str, place: Place) -> str:
        """Return a text as it is."""
        return text

    def _members(self, value: dict[str, Any], around: Around, place: Place) -> Any:
        if is_signed(value) and value["sig"] == MASK:
            try:
                return json.loads(self._policy.signing.seal(value["payload"], value["for"]))
            except (ConfigurationError, SessionError, TypeError, AttributeError):
                return value  # it was malformed when it was recorded
        return super()._members(value, around, place)
