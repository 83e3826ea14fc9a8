"""Keep the schemas of classes that have a name: each is written once, and referred to from everywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from router.contract.schemas.naming import ByPydantic, is_alias, names_of
from router.contract.schemas.reading import Reader
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from router.contract.interface import Operation

    Schema = dict[str, Any]

_OUTPUT = "Output"


class Form(NamedTuple):
    """Name what a component is made of, in the place of a reference to it until it has its name.

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
    expected: what will be asked for, as `asked_for` returns it: annotations, each with whether it is an answer's. With
        it names do not depend on the order: of several classes of one name each gets its module in front.
    """

    def __init__(self, *, prefix: str = "#/components/schemas/", expected: Iterable[tuple[Any, bool]] = ()) -> None:
        self._prefix = prefix
        self._bodies: dict[Form, Schema] = {}  # with a Form in the place of a reference
        self._names: dict[Form, str] = {}
        self._taken: dict[str, Form] = {}
        self._wanted: dict[Form, None] = {}
        self._several: set[str] = set()
        self._expect(expected)

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
        found = {self._names[form]: form for form in reversed(self._wanted)}
        return {name: self._written(self._bodies[form]) for name, form in sorted(found.items())}

    def component(self, key: Any, output: bool, make: Callable[[], Schema]) -> Schema:
        """Return the reference to a component, which is made when it is met first.

        key: the annotation that it is made of.
        """
        form = Form(key, output)
        if form not in self._bodies:
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

    def _expect(self, expected: Iterable[tuple[Any, bool]]) -> None:
        """Find the names that several classes have."""
        first: dict[tuple[str, bool], Form] = {}
        for annotation, output in expected:
            try:
                schema = Reader(self, "", output=output).top(annotation)
            except (ConfigurationError, RecursionError):
                continue  # it is told when it is asked for, with its place
            for form in _reached(schema, self._bodies):
                name = next(names_of(form.key))
                if not self._alike(form, first.setdefault((name, output), form)):
                    self._several.add(name)

    # ---- names ---------------------------------------------------------------------------------------------------

    def _read_other_forms(self, forms: list[Form], where: str) -> None:
        """Read what answers hold as requests would hold it, to see whether it differs."""
        for key, _ in forms:
            if Form(key, False) not in self._bodies:
                try:
                    Reader(self, where, output=False).inner(key, "")
                except ConfigurationError:
                    pass  # no request can hold it, so that the answer's form has the name alone

    def _name(self, form: Form) -> None:
        """Give a component its name: that of a class that is written alike, or one of its own."""
        if form in self._names:
            return
        read = Form(form.key, False)
        ending = ""
        if form.output and read in self._bodies:
            if self._alike(form, read):
                self._name(read)
                self._names[form] = self._names[read]
                return
            ending = _OUTPUT
        for name in names_of(form.key, ending):
            if name.removesuffix(ending) in self._several:
                continue
            holder = self._taken.setdefault(name, form)
            if self._alike(holder, form):
                self._names[form] = name
                return

    def _alike(self, one: Form, other: Form) -> bool:
        """Whether two components, and all that they refer to, come out the same."""
        if one == other:
            return True
        pending, seen = [(one, other)], set()
        while pending:
            pair = pending.pop()
            if pair in seen:
                continue
            seen.add(pair)
            first, second = pair
            if _kind(first) != _kind(second) or second not in self._bodies:
                return False
            if not _paired(self._bodies[first], self._bodies[second], pending):
                return False
        return True

    def _written(self, schema: Any) -> Any:
        """Return a copy with names in the place of forms."""
        if isinstance(schema, dict):
            return {key: self._written(held) for key, held in schema.items()}
        if isinstance(schema, list):
            return [self._written(held) for held in schema]
        return self._prefix + self._names[schema] if isinstance(schema, Form) else schema


def asked_for(operations: Iterable[Operation]) -> Iterator[tuple[Any, bool]]:
    """Return the annotations of what operations take and answer, each with whether it is an answer's."""
    for one in operations:
        yield from ((parameter.annotation, False) for parameter in one.parameters)
        if one.payload is not None:
            yield one.payload.annotation, False
        yield from ((answer.annotation, True) for answer in one.answers)


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


def _kind(form: Form) -> Any:
    """Return what a component is made of, whoever reads it; pydantic knows aliases by their names alone."""
    kind = form.key.kind if isinstance(form.key, ByPydantic) else form.key
    return next(names_of(kind)) if is_alias(kind) else kind


def _paired(one: Any, other: Any, pairs: list[tuple[Form, Form]]) -> bool:
    """Whether two schemas are the same but for what they refer to, which is added to the pairs."""
    if isinstance(one, Form) and isinstance(other, Form):
        pairs.append((one, other))
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_paired(held, other[key], pairs) for key, held in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_paired, one, other, [pairs] * len(one)))
    return type(one) is type(other) and bool(one == other)
