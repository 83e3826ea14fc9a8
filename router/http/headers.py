"""Multi-valued maps for what HTTP lets occur more than once."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from router.errors import ConfigurationError, EncodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class QueryParams(Mapping[str, str]):
    """Query parameters. `query["a"]` is the last value, as in API Gateway's own map; `getall("a")` is each of them."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, list[str]] | None = None) -> None:
        self._values: Mapping[str, list[str]] = values or {}

    def __getitem__(self, name: str) -> str:
        return self._values[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self._values)!r})"

    if not TYPE_CHECKING:  # typed by Mapping, whose own goes through an exception where there is nothing

        def get(self, name, default=None):
            values = self._values.get(name)
            return values[-1] if values else default

    def getall(self, name: str) -> list[str]:
        """Each value of a name, in order; an empty list for none."""
        return list(self._values.get(name, ()))

    def multi_items(self) -> list[tuple[str, str]]:
        """Each (name, value) pair."""
        return [(name, value) for name, values in self._values.items() for value in values]


class _ByName(Mapping[str, str]):
    """Values by name, in any case; several of a name read as one."""

    __slots__ = ("_values",)

    _values: dict[str, list[str]]

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._values[name.lower()])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._values!r})"


class Headers(_ByName):
    """Request headers by name, in any case. A repeated header reads as one value joined by commas (RFC 9110 §5.3)."""

    __slots__ = ()

    def __init__(self, pairs: Iterable[tuple[str, list[str]]] = ()) -> None:
        self._values = {}
        for name, values in pairs:
            self._values.setdefault(name.lower(), []).extend(values)

    @classmethod
    def of(cls, values: dict[str, list[str]]) -> Headers:
        """Return headers that hold a map of lists as it is: its names are in lower case."""
        headers = cls()
        headers._values = values
        return headers

    if not TYPE_CHECKING:  # typed by Mapping, whose own goes through an exception where there is nothing

        def get(self, name, default=None):
            values = self._values.get(name.lower())
            if values is None:
                return default
            return values[0] if len(values) == 1 else ", ".join(values)

    def getall(self, name: str) -> list[str]:
        """Each value of a name, in order; an empty list for none."""
        return list(self._values.get(name.lower(), ()))


def elements(values: list[str]) -> list[str]:
    """Return the elements of a header that is a list (RFC 9110 §5.6.1): `a, b` has two, also on several lines.

    A comma in quotes parts nothing, and empty elements are none.
    """
    found: list[str] = []
    for value in values:
        found += _parted(value) if '"' in value else value.split(",")
    return [element for one in found if (element := one.strip(" \t"))]


def _parted(value: str) -> list[str]:
    """Return the elements of a value with quotes."""
    found, start, is_quoted, is_escaped = [], 0, False, False
    for at, char in enumerate(value):
        if is_escaped:
            is_escaped = False
        elif char == '"':
            is_quoted = not is_quoted
        elif is_quoted:
            is_escaped = char == "\\"
        elif char == ",":
            found.append(value[start:at])
            start = at + 1
    return [*found, value[start:]]


# RFC 9110 §5.6.2: the characters of a token.
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def is_json_type(declared: str) -> bool:
    """Whether a content type is JSON: application/json, application/problem+json, with parameters or without."""
    if declared == "application/json":  # nearly always
        return True
    kind = declared.partition(";")[0].strip().lower()
    main, slash, sub = kind.partition("/")
    return bool(main and slash) and (sub == "json" or sub.endswith("+json")) and _TOKEN.issuperset(main + sub)


def disposition(kind: str, filename: str | None) -> str:
    """Return a Content-Disposition with a name that survives any character (RFC 6266 §4.3)."""
    if filename is None:
        return kind
    check_text("the name of the file", filename)
    from urllib.parse import quote

    simple = "".join(char if 0x20 <= ord(char) < 0x7F and char not in '"\\%' else "_" for char in filename)
    extended = "" if simple == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return f'{kind}; filename="{simple}"{extended}'


def check_text(what: str, text: str) -> None:
    """Refuse text that cannot be encoded: a lone surrogate would end the runtime's process when it sends the answer."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise EncodeError(f"{what} holds a lone surrogate at character {error.start}: it cannot be encoded") from None


def check_header(name: object, value: object) -> None:
    """Refuse what would end a header early or make two of one (response splitting), and what cannot be encoded."""
    if not isinstance(name, str) or not name or not _TOKEN.issuperset(name):
        raise ConfigurationError(f"header name {name!r}: only the characters of a token are allowed (RFC 9110 §5.6.2)")
    if not isinstance(value, str):
        raise ConfigurationError(f"header {name}: the value must be a str, not {type(value).__name__}")
    if "\r" in value or "\n" in value or "\0" in value:
        raise ConfigurationError(f"header {name}: CR, LF and NUL are refused in a value")
    if not value.isascii():
        check_text(f"header {name}", value)


def _text(value: object) -> str:
    """Return the value of a header as text: numbers are written out. What is neither is left to `check_header`."""
    return str(value) if type(value) is int else value  # type: ignore[return-value]


class ResponseHeaders(_ByName, MutableMapping[str, str]):
    """Response headers by name, in any case; names and values are checked when set."""

    __slots__ = ()

    def __init__(self, values: Mapping[str, str | int] | None = None) -> None:
        self._values = {}
        if values:
            for name, value in values.items():
                self[name] = value

    def __setitem__(self, name: str, value: str | int) -> None:
        value = _text(value)
        check_header(name, value)
        self._values[name.lower()] = [value]

    def __delitem__(self, name: str) -> None:
        del self._values[name.lower()]

    def add(self, name: str, value: str | int) -> None:
        """One more value of a header, kept beside the others."""
        value = _text(value)
        check_header(name, value)
        self._values.setdefault(name.lower(), []).append(value)

    def vary(self, *names: str) -> None:
        """Add names to `Vary` that are not in it yet."""
        held = [part.strip() for part in self.get("vary", "").split(",") if part.strip()]
        known = {part.lower() for part in held}
        self["vary"] = ", ".join(held + [name for name in names if name.lower() not in known])

    def multi(self) -> dict[str, list[str]]:
        """Each name, in lower case, with all its values."""
        return {name: list(values) for name, values in self._values.items()}

    def handed_over(self) -> dict[str, list[str]]:
        """Return the values as `multi` does, without copies: for an answer that is the headers' last use."""
        return dict(self._values)
