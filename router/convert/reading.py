"""Read answers of other services into types, as a generated client does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from router.convert.compile import compile_converter

if TYPE_CHECKING:
    from router.convert.scalars import Converter

T = TypeVar("T")


class Reader(Generic[T]):
    """Turns parsed JSON into a value of a type. The type is read when the first value comes.

    annotation: the type: whatever a handler may take as its body.
    """

    __slots__ = ("_convert", "annotation")

    def __init__(self, annotation: Any) -> None:
        self.annotation = annotation
        self._convert: Converter | None = None

    def __call__(self, value: Any) -> T:
        """Return a value of the type.

        Raises:
            UnprocessableContent: it does not fit; the message names the places, and holds no values.
            ConfigurationError: the type cannot be made from JSON.
        """
        if self._convert is None:
            self._convert = compile_converter(self.annotation, text=False)
        found: T = self._convert(value, "answer")
        return found


def reader(annotation: Any) -> Reader[Any]:
    """Return the reader of a type: `reader(Order)`, `reader(list[Order])`."""
    return Reader(annotation)
