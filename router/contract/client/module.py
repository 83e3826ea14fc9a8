"""Put a client together: the head with its imports, the classes, the operations, and the class that has them all."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import TYPE_CHECKING

from router.contract.client.models import Models
from router.contract.client.parts import Content
from router.contract.client.text import PROSE, Group, docstring, laid_out, listed, literal, names_in
from router.contract.client.words import Names, camel, snake
from router.contract.schemas import Schemas
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.contract.client.parts import Part
    from router.contract.interface import Info, Interface

_LONGEST = 120  # characters of a line, of texts that cannot be broken; what linters allow is a project's own
_FIELD = re.compile(r" {4}[a-z]+[A-Z]\w*: ")  # a name of JSON such as `orderId`
_MIXED = re.compile(r"\b[a-z]\w*[A-Z]\w*: ")
_ROUTER = __name__.removesuffix(".contract.client.module")  # also of a copy in a package of an application
_ADAPTERS = f"{_ROUTER.removesuffix('router')}adapters"
_RUNTIME: dict[str, tuple[str, ...]] = {
    "dataclasses": ("dataclass", "field"),
    "datetime": ("date", "datetime", "time"),
    "decimal": ("Decimal",),
    "enum": ("IntEnum", "StrEnum"),
    "typing": ("TYPE_CHECKING", "Any", "Literal", "TypeAlias", "Union"),
    "uuid": ("UUID",),
}
_OURS: dict[str, tuple[str, ...]] = {
    f"{_ADAPTERS}.sister": (
        "ANYTHING",
        "CONTENT",
        "NOTHING",
        "TEXT",
        "Action",
        "BusCalls",
        "Enveloped",
        "HttpCalls",
        "InvokeCalls",
        "Operation",
        "SisterQueue",
        "SisterTopic",
    ),
    f"{_ROUTER}.convert.reading": ("reader",),
    f"{_ROUTER}.wire_fields": ("wire",),
}
_CHECKED: dict[str, tuple[str, ...]] = {
    "typing": ("Unpack",),
    f"{_ADAPTERS}.eventbridge": ("Bus", "EventOptions"),
    f"{_ADAPTERS}.http": ("Services",),
    f"{_ADAPTERS}.lambda_invoke": ("InvokeOptions", "Invoker"),
    f"{_ADAPTERS}.sister": ("CallOptions",),
    f"{_ADAPTERS}.sns": ("Sns",),
    f"{_ADAPTERS}.sqs": ("Sqs",),
}
_ENDINGS = ("", "Http", "Actions", "Queues", "Topics", "Events")
# The arguments of the client, each with its annotation, its default and what it is.
_ARGUMENTS = {
    "services": ("_Services | None", "None", "calls over HTTP."),
    "service": ("str", "", "what this one is called among them."),
    "function": ("str", '""', "the name or ARN of the Lambda function, for its actions."),
    "invoker": ("_Invoker | None", "None", "invokes it; by default one made of the environment."),
    "sqs": ("_Sqs | None", "None", "sends to queues; by default one made of the environment."),
    "sns": ("_Sns | None", "None", "publishes to topics; by default one made of the environment."),
    "bus": ("_Bus | None", "None", "publishes events."),
}


def client_module(interface: Interface, name: str = "") -> str:
    """Return the source of a client of an application.

    name: of its class; by default after the title, `TheShopClient`.

    Raises:
        ConfigurationError: the name is no name of a class, an annotation has no schema, or two calls have one name.
    """
    name = name or f"{camel(interface.info.title)}Client"
    if not name.isidentifier() or iskeyword(name) or not name.isascii() or name.startswith("_"):
        raise ConfigurationError(f"the client cannot be named {name!r:.80}; give the name of a class: ShopClient")
    schemas = Schemas()
    content = Content(interface, schemas)
    if not (content.requests or content.actions or content.queues or content.topics or content.events):
        raise ConfigurationError("no route takes what another service may send: there is nothing to make a client of")
    names = Names(_taken(name))
    models = Models(schemas.components(), names)
    parts = content.parts(models.types, names)
    classes = models.lines()
    named = models.types.aliases.items()
    aliases = [line for alias, node in named for line in laid_out(f"{alias}: _TypeAlias = ", node)]
    constants = [line for part in parts for line in part.constants]
    groups = [line for part in parts for line in part.source(name)]
    body = [
        *classes,
        *(["", "", *aliases] if aliases else []),
        *(["", "", *constants] if constants else []),
        *groups,
        *_client(name, interface.info, parts),
    ]
    lines = [*_head(interface.info, _exceptions(body), bool(content.requests)), "", *_imports(names_in(body)), *body]
    return "".join(f"{line.removeprefix(PROSE)}\n" for line in lines)


def _exceptions(body: list[str]) -> list[str]:
    """Return the rules of linters that names and texts of the application cannot keep."""
    rules = {"E501"} if any(len(line.removeprefix(PROSE)) > _LONGEST for line in body) else set()
    for line in body:
        if _MIXED.search(line) and not line.startswith(PROSE):
            rules.add("N815" if _FIELD.match(line) else "N803")
    return sorted(rules)


def _taken(name: str) -> set[str]:
    """Return the names that the module has besides those of its classes."""
    return {"TYPE_CHECKING", *(name + ending for ending in _ENDINGS)}


def _head(info: Info, exceptions: list[str], calls_http: bool) -> list[str]:
    said = f"Call {info.title}, version {info.version}, with the session attached."
    made = "Made by `junction export client`; do not edit it, export it again."
    if calls_http:
        made += " Its HTTP calls need the extra `http` of the library."
    noqa = [f"# ruff: noqa: {', '.join([*exceptions, 'RUF100'])}", ""] if exceptions else []
    return [*docstring([said, made], 0), "", *noqa, "from __future__ import annotations"]


def _imports(used: set[str]) -> list[str]:
    """Return the imports of what a module mentions, in the order that linters ask for."""
    standard = _from(_RUNTIME, used, 0)
    checked = _from({"typing": _CHECKED["typing"]}, used, 1)
    ours = _from({module: held for module, held in _CHECKED.items() if module != "typing"}, used, 1)
    between = [""] if checked and ours else []
    return [*standard, "", *_from(_OURS, used, 0), "", "if TYPE_CHECKING:", *checked, *between, *ours]


def _from(modules: dict[str, tuple[str, ...]], used: set[str], indent: int) -> list[str]:
    """Return imports under private names, so that fields and methods may have the public ones: `reader`, `field`."""
    lines = []
    for module, names in modules.items():
        if "TYPE_CHECKING" in names:
            lines.append(f"from {module} import TYPE_CHECKING")
        for name in names:
            if f"_{name}" in used:
                lines += laid_out(f"from {module} import ", Group("(", (f"{name} as _{name}",), ")"), "", indent)
    return [re.sub(r"import \((.*)\)\Z", r"import \1", line) for line in lines]


def _client(name: str, info: Info, parts: Sequence[Part]) -> list[str]:
    """Return the class that has all groups of calls."""
    given = [one for part in parts for one in part.given]
    arguments = []
    for argument in given:
        kind, default, _ = _ARGUMENTS[argument]
        arguments.append(f"{argument}: {kind} = {default or literal(snake(name.removesuffix('Client') or name))}")
    first = arguments[:1] if given[0] == "services" else []
    signature = ("self", *first, *(["*", *arguments[len(first) :]] if arguments[len(first) :] else []))
    said = [f"{argument}: {_ARGUMENTS[argument][2]}" for argument in given]
    attributes = [f"{part.attribute}: {part.said[0].lower()}{part.said[1:]}" for part in parts]
    lines = [
        "",
        "",
        f"class {name}:",
        *docstring([f"{info.title}, as another service calls it.", *listed(said), *listed(attributes)], 1),
        "",
        *laid_out("def ", Group("__init__(", signature, ")"), " -> None:", 1),
    ]
    for part in parts:
        lines += laid_out(f"self.{part.attribute} = ", Group(f"{name}{part.ending}(", tuple(part.given), ")"), "", 2)
    return lines
