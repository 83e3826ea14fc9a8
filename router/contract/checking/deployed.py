"""Read a template of SAM or CloudFormation: its functions, and what brings events to them, each with its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from router.contract.checking.globs import ANY, may_equal
from router.contract.checking.references import References
from router.contract.model import Place
from router.contract.yaml_source import Source
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")
_DEFAULT_TIMEOUT_S = 3


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function of a template.

    logical: its logical id. place: of its first line.
    properties: with what Globals says.
    handler: `package.module.function`; empty for an image.
    timeout: seconds; None where the file does not tell it.
    variables: its environment, as the template has it.
    """

    logical: str
    place: Place
    properties: Mapping[str, Any]
    handler: str
    timeout: int | None
    variables: Mapping[str, Any]
    is_serverless: bool

    @property
    def is_isolated(self) -> bool:
        """Whether each tenant has environments of its own."""
        return "TenancyConfig" in self.properties


@dataclass(frozen=True, slots=True)
class Delivery:
    """What brings events to a function.

    source: of the events, as `Source` has it; `dynamodb`, `sqs`.
    function: the logical id; None for one that the file does not tell.
    name: of the queue, table, bucket, rule; `*` where it is not known. resource: its logical id, if it is made here.
    place: of its first line. label: how messages name it.
    settings: its properties.
    is_mapping: whether Lambda polls for it (an event source mapping).
    """

    source: str
    function: str | None
    name: str
    resource: str | None
    place: Place
    label: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_mapping: bool = False


class Template:
    """A template.

    file: its path.

    Raises:
        ConfigurationError: it cannot be read, or is no template.
    """

    def __init__(self, file: Path) -> None:
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{file} cannot be read: {error}") from None
        try:
            self._source = Source(text)
        except ConfigurationError as error:
            raise ConfigurationError(f"{file}: {error}") from None
        self._held = self._source.data
        here = Path.cwd()
        absolute = file.resolve()
        self.file = absolute.relative_to(here).as_posix() if absolute.is_relative_to(here) else str(file)
        self.resources: Mapping[str, Any] = _mapping(self._held.get("Resources"))
        if not self.resources:
            raise ConfigurationError(f"{file} is no template: it has no Resources")
        broken = [name for name, one in self.resources.items() if not hasattr(one, "get")]
        if broken:
            raise ConfigurationError(f"{file}: the resource {broken[0]} is not a mapping")
        self.references = References(self.resources, _mapping(self._held.get("Parameters")))
        self.functions = tuple(self._functions())

    def place(self, logical: str, *path: str) -> Place:
        """Return where a resource begins, or what is inside of it.

        path: the names from the resource down.
        """
        node, line = self._source.root, 1
        for name in ("Resources", logical, *path):
            pairs = node.value if node is not None and node.id == "mapping" else ()
            found = next(((key, value) for key, value in pairs if key.value == name), None)
            if found is None:
                break
            line, node = self._source.line_of(found[0]), found[1]
        return Place(self.file, line)

    def properties(self, logical: str) -> Mapping[str, Any]:
        """Return the properties of a resource; nothing for one that is not there."""
        return _mapping(_mapping(self.resources.get(logical)).get("Properties"))

    def of_type(self, *kinds: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Return the logical id and the properties of each resource of some types."""
        return (
            (logical, self.properties(logical)) for logical, one in self.resources.items() if one.get("Type") in kinds
        )

    def is_of(self, logical: str, *kinds: str) -> bool:
        """Whether a resource is of one of some types."""
        return _mapping(self.resources.get(logical)).get("Type") in kinds

    def function_of(self, value: Any) -> str | None:
        """Return the logical id of the function that a value names; None where that cannot be told."""
        if value is None:
            return None
        logical = self.references.logical_of(value)
        ids = [one.logical for one in self.functions]
        if logical in ids:
            return logical
        text = self.references.text(value).rpartition("function:")[2]
        named = [one for one in ids if text != ANY and may_equal(self.references.name(one), text)]
        return named[0] if len(named) == 1 else ids[0] if len(ids) == 1 else None

    def _functions(self) -> Iterator[Deployed]:
        common = _mapping(_mapping(self._held.get("Globals")).get("Function"))
        for logical, own in self.of_type(*FUNCTIONS):
            is_serverless = self.resources[logical].get("Type") == FUNCTIONS[0]
            held = {**common, **own} if is_serverless else dict(own)
            variables = {
                **(_variables(common) if is_serverless else {}),
                **_variables(own),
            }
            yield Deployed(
                logical,
                self.place(logical),
                held,
                self.references.text(held.get("Handler", "")),
                self.references.number(held.get("Timeout"), _DEFAULT_TIMEOUT_S),
                variables,
                is_serverless,
            )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if hasattr(value, "items") else {}


def _variables(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(_mapping(properties.get("Environment")).get("Variables"))
