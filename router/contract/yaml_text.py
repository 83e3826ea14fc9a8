"""Read and write templates as people do: `!Sub` in place of `Fn::Sub`, and their comments stay where they were."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING

from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_SHORT = {"Ref": "!Ref", "Fn::Sub": "!Sub", "Fn::GetAtt": "!GetAtt"}
# Words and numbers of YAML 1.1 that are texts in 1.2, which the library writes: `on`, `1_000`, `12:30`.
_NO_TEXT = re.compile(r"y|n|yes|no|on|off|[-+]?\d[\d_:.]*", re.ASCII | re.IGNORECASE)
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
    """Return a value as it is written; what was read from a file stays as it is.

    Functions have their short form. Nothing is shared: the writer would make an alias of what stands in two places, and
    CloudFormation takes no aliases.
    """
    from ruamel.yaml.comments import CommentedBase, TaggedScalar

    if isinstance(value, CommentedBase):
        held_at: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for place, held in list(held_at):
            if isinstance(held, dict | list) and (written := _shortened(held)) is not held:
                value[place] = written  # type: ignore[index]
        return value
    if isinstance(value, dict):
        if len(value) == 1:
            [(name, held)] = value.items()
            if name in _SHORT and (isinstance(held, str) or name == "Fn::GetAtt"):
                return TaggedScalar(held if isinstance(held, str) else ".".join(held), None, _SHORT[name])
        return {_quoted(name): _shortened(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(held) for held in value]
    return _quoted(value)


def _quoted(value: Any) -> Any:
    """Return a text in quotes where it is something else to CloudFormation: in YAML 1.1 `OFF` is false."""
    from ruamel.yaml.scalarstring import SingleQuotedScalarString

    return SingleQuotedScalarString(value) if type(value) is str and _NO_TEXT.fullmatch(value) else value
