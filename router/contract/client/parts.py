"""The groups of calls that a client has: requests, actions, queues, topics and events, each a class of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from router.contract.client import actions, channels
from router.contract.client.heard import heard
from router.contract.client.operations import Wanted, method_of
from router.contract.client.signatures import TWIN, described
from router.contract.client.text import docstring, laid_out
from router.contract.client.words import attribute, member
from router.errors import ConfigurationError
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from router.contract.client.heard import Heard
    from router.contract.client.signatures import Method
    from router.contract.client.types import Types
    from router.contract.client.words import Names
    from router.contract.interface import Interface, Operation
    from router.contract.schemas import Schemas

EVENT = "_event"


@dataclass(slots=True)
class Part:
    """One group of calls.

    attribute: of the client. ending: of the name of its class. given: the arguments of the client that it takes.
    constants: the lines of what its methods name. lines: of its class, without the head.
    """

    attribute: str
    ending: str
    base: str
    said: str
    given: Sequence[str]
    constants: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    words: Sequence[tuple[str, str]] = ()

    def source(self, client: str) -> list[str]:
        """Return the lines of its class."""
        head = f"class {client}{self.ending}({self.base}):" if self.base else f"class {client}{self.ending}:"
        return ["", "", head, *docstring([self.said, *described(self.words)], 1), *self.lines]


class Content:
    """Hold what the calls of a client are made of: all annotations have been asked for, and no name given.

    Raises:
        ConfigurationError: an annotation has no schema.
    """

    def __init__(self, interface: Interface, schemas: Schemas) -> None:
        self.title = interface.info.title
        self.requests = [
            Wanted(one, schemas, interface.resolver) for one in interface.of(Source.HTTP) if one.method != "OPTIONS"
        ]
        self._resolver = interface.resolver
        self.actions = heard(interface.of(Source.INVOKE), schemas)
        self.queues = heard(interface.of(Source.SQS), schemas)
        self.topics = heard(interface.of(Source.SNS), schemas)
        self.events = [one for one in heard(interface.of(Source.EVENTBRIDGE), schemas) if channels.is_published(one)]

    def parts(self, types: Types, names: Names) -> list[Part]:
        """Return the groups that have calls.

        Raises:
            ConfigurationError: two calls have one name; it names the routes with file and line.
        """
        found = [
            self._requests(types, names) if self.requests else None,
            self._actions(types, names) if self.actions else None,
            self._channels("queues", "Queue", self.queues, types, names) if self.queues else None,
            self._channels("topics", "Topic", self.topics, types, names) if self.topics else None,
            self._events(types, names) if self.events else None,
        ]
        return [one for one in found if one is not None]

    def _requests(self, types: Types, names: Names) -> Part:
        part = Part("http", "Http", "_HttpCalls", f"The requests that {self.title} answers.", ("services", "service"))
        taken: dict[str, Operation] = {}
        for wanted in sorted(self.requests, key=lambda one: one.operation.name):
            operation = wanted.operation
            name = _free(attribute(operation.name), names)
            _take(taken, [name, name + TWIN], operation)
            constant = names.new(f"_HTTP_{member(operation.name)}")
            method, node = method_of(wanted, types, constant, name)
            part.constants += laid_out(f"{constant}: _Operation[{method.result}] = ", node)
            part.lines += ["", *method.lines()]
        return part

    def _actions(self, types: Types, names: Names) -> Part:
        part = Part("invoke", "Actions", "_InvokeCalls", f"The actions of {self.title}.", ("function", "invoker"))
        taken: dict[str, Operation] = {}
        for held in self.actions:
            name = _free(held.attribute, names)
            _take(taken, [name + ending for ending in ("", TWIN, EVENT, EVENT + TWIN)], held.operations[0])
            constant = names.new(f"_INVOKE_{member(held.attribute)}")
            methods, result, node = actions.methods_of(held, types, constant, name, self._resolver)
            part.constants += laid_out(f"{constant}: _Action[{result}] = ", node)
            part.lines += [line for method in methods for line in ("", *method.lines())]
        return part

    def _channels(self, attribute_: str, kind: str, every: Sequence[Heard], types: Types, names: Names) -> Part:
        sender, adapter = ("sqs", "_Sqs") if kind == "Queue" else ("sns", "_Sns")
        said = f"The {kind.lower()}s that {self.title} reads."
        part = Part(attribute_, f"{kind}s", "", said, (sender,), words=channels.words_of(every))
        taken: dict[str, Operation] = {}
        made, methods = [], []
        for held in every:
            name = _free(held.attribute, names)
            _take(taken, [name], held.operations[0])
            if held.is_pattern:
                methods += ["", *channels.method(held, types, kind, name)]
            else:
                made += channels.made(held, types, kind, name)
        head = f"    def __init__(self, {sender}: {adapter} | None = None) -> None:"
        part.lines = ["", head, f"        self._{sender} = {sender}", *made, *methods]
        return part

    def _events(self, types: Types, names: Names) -> Part:
        part = Part("events", "Events", "_BusCalls", f"The events that {self.title} waits for.", ("bus",))
        taken: dict[str, Operation] = {}
        for held in self.events:
            name = _free(held.attribute, names)
            _take(taken, [name, name + TWIN], held.operations[0])
            method: Method = channels.publisher(held, types, name)
            part.lines += ["", *method.lines()]
        return part


def _free(name: str, names: Names) -> str:
    """Return a name that stands for nothing else in the class of a group."""
    return f"{name}_" if names.has(name) else name


def _take(taken: dict[str, Operation], wanted: Iterable[str], operation: Operation) -> None:
    for name in wanted:
        other = taken.setdefault(name, operation)
        if other is not operation:
            raise ConfigurationError(
                f"{other.where} and {operation.where} would both be {name!r} in the client; give one of them another "
                "name"
            )
