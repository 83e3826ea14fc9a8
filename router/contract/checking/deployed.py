"""Read a template of SAM or CloudFormation: its functions, and what brings events to them, each with its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from router.contract.checking.globs import ANY, may_equal
from router.contract.checking.references import References
from router.contract.checking.structure import expanded, is_included, listed, mapping, plain
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
    tells_variables: whether these are all; a part of them may be fetched when it is deployed.
    """

    logical: str
    place: Place
    properties: Mapping[str, Any]
    handler: str
    timeout: int | None
    variables: Mapping[str, Any]
    tells_variables: bool = True

    @property
    def is_isolated(self) -> bool:
        """Whether each tenant has environments of its own."""
        return "TenancyConfig" in self.properties


@dataclass(frozen=True, slots=True)
class Delivery:
    """Name what brings events to a function.

    source: of the events, as `Source` has it; `dynamodb`, `sqs`.
    function: the logical id; None for one that the file does not tell.
    name: of the queue, table, bucket, rule; `*` where it is not known. resource: its logical id, if it is made here.
    place: of its first line. label: how messages name it.
    settings: its properties.
    is_mapping: whether Lambda polls for it (an event source mapping).
    is_told: whether the template tells that it brings them; otherwise it may.
    principal: the service that calls the function, where a permission of its own has to allow that.
    """

    source: str
    function: str | None
    name: str
    resource: str | None
    place: Place
    label: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_mapping: bool = False
    is_told: bool = True
    principal: str = ""


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
        held = self._source.data
        here = Path.cwd()
        absolute = file.resolve()
        self.file = absolute.relative_to(here).as_posix() if absolute.is_relative_to(here) else str(file)
        self.resources: Mapping[str, Any] = plain(expanded(mapping(held.get("Resources"))))
        if not self.resources:
            raise ConfigurationError(f"{file} is no template: it has no Resources")
        broken = [name for name, one in self.resources.items() if not isinstance(one, dict)]
        if broken:
            raise ConfigurationError(f"{file}: the resource {broken[0]} is not a mapping")
        self._common = mapping(mapping(plain(mapping(held.get("Globals")))).get("Function"))
        self.references = References(self.resources, mapping(held.get("Parameters")))
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
        return mapping(mapping(self.resources.get(logical)).get("Properties"))

    def of_type(self, *kinds: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Return the logical id and the properties of each resource of some types."""
        return (
            (logical, self.properties(logical)) for logical, one in self.resources.items() if one.get("Type") in kinds
        )

    def is_of(self, logical: str, *kinds: str) -> bool:
        """Whether a resource is of one of some types."""
        return mapping(self.resources.get(logical)).get("Type") in kinds

    def function_of(self, value: Any) -> str | None:
        """Return the logical id of the function that a value names, or an alias of it.

        None where nobody can tell; empty for a function that is not of the template.
        """
        if value is None:
            return None
        ids = [one.logical for one in self.functions]
        logical = self.references.logical_of(value)
        for _ in range(2):  # an alias, or a version, of a function
            if logical is not None and self.is_of(logical, "AWS::Lambda::Alias", "AWS::Lambda::Version"):
                value = self.properties(logical).get("FunctionName")
                logical = self.references.logical_of(value)
        if logical in ids:
            return logical
        if (made := _published(value, ids)) is not None:
            return made
        text = self.references.text(value).rpartition("function:")[2].partition(":")[0]
        named = [one for one in ids if self.references.name(one) == text] or [
            one for one in ids if text != ANY and may_equal(self.references.name(one), text)
        ]
        if not named and text and not set("*?") & set(text):
            return ""
        return named[0] if len(named) == 1 else ids[0] if len(ids) == 1 else None

    def _functions(self) -> Iterator[Deployed]:
        for logical, own in self.of_type(*FUNCTIONS):
            is_serverless = self.resources[logical].get("Type") == FUNCTIONS[0]
            common = self._common if is_serverless else {}
            held = {**common, **own}
            command = listed(mapping(held.get("ImageConfig")).get("Command"))
            environment = held.get("Environment")
            told = (self.resources[logical].get("Properties"), environment, mapping(environment).get("Variables"))
            yield Deployed(
                logical,
                self.place(logical),
                held,
                self.references.text(held.get("Handler", command[0] if command else "")),
                self.references.number(held.get("Timeout"), _DEFAULT_TIMEOUT_S),
                {**_variables(common), **_variables(own)},
                tells_variables=not any(is_included(one) for one in told),
            )


def _published(value: Any, ids: list[str]) -> str | None:
    """Return the function of an alias or a version that SAM makes: `!Ref Shop.Alias`, or `!Ref ShopAliaslive`."""
    name = value.get("Ref") if isinstance(value, dict) else None
    if not isinstance(name, str):
        return None
    found = [one for one in ids if name in (f"{one}.Alias", f"{one}.Version") or name.startswith(f"{one}Alias")]
    return max(found, key=len, default=None)


def _variables(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(mapping(properties.get("Environment")).get("Variables"))
