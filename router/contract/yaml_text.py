"""Read and write templates as people do: `!Sub` in place of `Fn::Sub`, and their comments stay where they were."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_SHORT = {"Ref": "!Ref", "Fn::Sub": "!Sub", "Fn::GetAtt": "!GetAtt"}
_LONG_LINE = 10_000  # a text that is broken into lines is harder to read, and to compare


def read(text: str) -> Any:
    """Return a template with its comments and order.

    Raises:
        ConfigurationError: it is neither YAML nor JSON, or no mapping.
    """
    try:
        held = _yaml().load(text)
    except Exception as error:  # the library has errors of many classes
        raise ConfigurationError(f"the template cannot be read: {' '.join(str(error).split())}") from None
    if not hasattr(held, "setdefault"):
        raise ConfigurationError("the template is not a mapping of sections")
    return held


def write(template: Mapping[str, Any]) -> str:
    """Return the text of a template."""
    out = StringIO()
    _yaml().dump(_shortened(template), out)
    return out.getvalue()


def _yaml() -> Any:
    try:
        from ruamel.yaml import YAML
    except ImportError:
        raise ConfigurationError('templates need ruamel.yaml: pip install "lambda-junction[deploy]"') from None
    yaml = YAML()
    yaml.width = _LONG_LINE
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _shortened(value: Any) -> Any:
    """Return a value with functions in their short form; what was read from a file stays as it is."""
    from ruamel.yaml.comments import CommentedBase, TaggedScalar

    if isinstance(value, dict):
        if len(value) == 1 and not isinstance(value, CommentedBase):
            [(name, held)] = value.items()
            if name in _SHORT and (isinstance(held, str) or name == "Fn::GetAtt"):
                return TaggedScalar(held if isinstance(held, str) else ".".join(held), None, _SHORT[name])
        for name, held in value.items():
            short = _shortened(held)
            if short is not held:
                value[name] = short
        return value
    if isinstance(value, list):
        for position, held in enumerate(value):
            short = _shortened(held)
            if short is not held:
                value[position] = short
    return value
