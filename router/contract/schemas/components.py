"""Keep the schemas of classes that have a name: each is written once, and referred to from everywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from router.contract.schemas.naming import name_of_component, qualified
from router.contract.schemas.reading import Reader
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Schema = dict[str, Any]

_OUTPUT = "Output"


class Form(NamedTuple):
    """What a component is made of, in the place of a reference to it until it has its name.

    key: its class or alias. output: whether it is the form of answers.
    """

    key: Any
    output: bool


class Schemas:
    """The schemas of one document, with its components.

    A class with fields, an Enum, a pydantic model and a `type X = ...` is a component of its own name: `Order`,
    `Page_Order` for `Page[Order]`. What an answer holds differs from what a request may hold where fields have defaults
    or are written otherwise than they are read; then the form of answers is named `OrderOutput`, whether or not a
    request has the other. Another class of the same name gets its module in front: `billing_Order`.

    prefix: what stands before a name in `$ref`.
    """

    def __init__(self, *, prefix: str = "#/components/schemas/") -> None:
        self._prefix = prefix
        self._bodies: dict[Form, Schema] = {}  # with a Form in the place of a reference
        self._origins: dict[Any, Any] = {}  # the annotation of each key
        self._names: dict[Form, str] = {}
        self._taken: dict[str, Form] = {}
        self._wanted: dict[Form, None] = {}

    def of(self, annotation: Any, where: str, *, output: bool = False) -> Schema:
        """Return the schema of an annotation, or a reference to it.

        The words of its own Annotated (description, examples, deprecated) are left to who writes the parameter or body.

        annotation: NOTHING and Any allow everything.
        where: what asks for it, for messages: the route with file and line.
        output: whether it is what a handler answers; there a field with a default is always there.

        Raises:
            ConfigurationError: a type has no schema, or a hint cannot be resolved.
        """
        try:
            schema = Reader(self, where, output=output).top(annotation)
            forms = list(_reached(schema, self._bodies))
            if output:
                self._read_other_forms(forms, where)
        except RecursionError:
            raise ConfigurationError(f"{where}: {annotation!r} is nested without end") from None
        for form in forms:
            self._name(form)
            self._wanted[form] = None
        written: Schema = self._written(schema)
        return written

    def components(self) -> dict[str, Schema]:
        """Return the schema of each component by its name, sorted; those of all `of` calls until now."""
        found = {self._names[form]: self._written(self._bodies[form]) for form in self._wanted}
        return dict(sorted(found.items()))

    def component(self, key: Any, output: bool, origin: Any, make: Callable[[], Schema]) -> Schema:
        """Return the reference to a component, which is made when it is met first.

        key: a class or an alias; tells it from others. origin: its annotation.
        """
        form = Form(key, output)
        if form not in self._bodies:
            self._origins[key] = origin
            self._bodies[form] = {}  # for what holds itself
            try:
                self._bodies[form] = make()
            except BaseException:
                while self._bodies.popitem()[0] != form:
                    pass  # what was made for it alone may refer to it
                raise
        return {"$ref": form}

    def body(self, reference: Schema) -> Schema:
        """Return what a reference of `component` stands for."""
        return self._bodies[reference["$ref"]]

    # ---- names ---------------------------------------------------------------------------------------------------

    def _read_other_forms(self, forms: list[Form], where: str) -> None:
        """Read what answers hold as requests would hold it, to see whether it differs."""
        for key, _ in forms:
            if Form(key, False) not in self._bodies:
                try:
                    Reader(self, where, output=False).inner(self._origins[key], "")
                except ConfigurationError:
                    pass  # no request can hold it, so that the answer's form has the name alone

    def _name(self, form: Form) -> None:
        if form in self._names:
            return
        key, output = form
        if output and not self._differs(key):
            other = Form(key, False)
            self._name(other)
            self._names[form] = self._names[other]
            return
        origin = self._origins[key]
        ending = _OUTPUT if output and Form(key, False) in self._bodies else ""
        name = name_of_component(origin) + ending
        if name in self._taken:
            name = qualified(origin) + ending
        count = 2
        while name in self._taken:
            name = f"{qualified(origin)}_{count}{ending}"
            count += 1
        self._names[form] = name
        self._taken[name] = form

    def _differs(self, key: Any) -> bool:
        """Whether answers hold it otherwise than requests, itself or in what it refers to."""
        reached = _reached({"$ref": Form(key, True)}, self._bodies)
        return any(_keyed(self._bodies[form]) != _keyed(self._bodies.get(Form(form.key, False))) for form in reached)

    def _written(self, schema: Any) -> Any:
        """Return a copy with names in the place of forms."""
        if isinstance(schema, dict):
            return {key: self._written(held) for key, held in schema.items()}
        if isinstance(schema, list):
            return [self._written(held) for held in schema]
        return self._prefix + self._names[schema] if isinstance(schema, Form) else schema


def _reached(schema: Schema, bodies: dict[Form, Schema]) -> Iterator[Form]:
    """Return all components that a schema refers to, also through others, each once."""
    seen: dict[Form, None] = {}
    pending: list[Any] = [schema]
    while pending:
        held = pending.pop()
        if isinstance(held, dict):
            pending += reversed(held.values())
        elif isinstance(held, list):
            pending += reversed(held)
        elif isinstance(held, Form) and held not in seen:
            seen[held] = None
            pending.append(bodies[held])
    yield from seen


def _keyed(schema: Any) -> Any:
    """Return a copy that refers to classes, whichever their form."""
    if isinstance(schema, dict):
        return {key: _keyed(held) for key, held in schema.items()}
    if isinstance(schema, list):
        return [_keyed(held) for held in schema]
    return schema.key if isinstance(schema, Form) else schema
