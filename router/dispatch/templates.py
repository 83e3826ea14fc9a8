"""Check typed path parameters, `{id:int}`, against the annotations of the arguments that they fill."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

from router.convert.kinds import plain
from router.errors import ConfigurationError
from router.routing.paths import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# By the type in the template, which values it can become; the first is the one that it is.
_BECOMES = {"int": (int, float, Decimal), "float": (float, Decimal), "uuid": (UUID,)}
_SCALARS = (str, int, float, bool, Decimal, UUID, date, datetime, time)


def check_template(name: str, annotation: Any, template: str) -> None:
    """Refuse an annotation that no value of a typed parameter can be.

    Text is refused as well: `{id:int}` takes `007`, and what is left of it is 7, not what the client sent.

    name: of the parameter. annotation: of the argument. template: the path.

    Raises:
        ConfigurationError: the annotation is another scalar than the template makes.
    """
    kind = next((kind for kind, held in parse(template) if held == name), "str")
    wanted, values = plain(annotation), _BECOMES.get(kind)
    if values is None or wanted in values or wanted not in _SCALARS:
        return
    made = values[0].__name__
    raise ConfigurationError(
        f"the path makes {made} of {{{name}:{kind}}}, and the argument {name!r} is annotated as {wanted.__name__}; "
        f"annotate it as {made}, or write {{{name}}}"
    )
