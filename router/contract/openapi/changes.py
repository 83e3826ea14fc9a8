"""Tell which differences of two OpenAPI documents break clients of the first.

What a client sends must be taken still, and what it gets must be of the kind that it knows: a request may become wider,
an answer narrower. Fields that are new in an answer break nobody, as clients leave alone what they do not know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from router.contract.openapi.differences import (
    ADDED,
    CHANGED,
    CLOSED,
    NARROWED,
    REMOVED,
    WIDENED,
    Comparison,
)
from router.contract.openapi.forms import ANY, Document
from router.contract.openapi.keywords import key
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_PARAMETER = re.compile(r"\{[^}]*\}")
_BREAKS_REQUESTS = frozenset((NARROWED, CHANGED, REMOVED, CLOSED))
_BREAKS_ANSWERS = frozenset((WIDENED, CHANGED, REMOVED))
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different in the newer document.

    breaking: whether a client of the older one may fail.
    where: the operation and the part of it, `POST /orders, body, lines[].sku`. what: what is different.
    """

    breaking: bool
    where: str
    what: str

    def __str__(self) -> str:
        return f"{'breaking' if self.breaking else 'compatible'}: {self.where}: {self.what}"


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what is different in the newer of two OpenAPI documents: first what breaks clients, then by place.

    old, new: documents of OpenAPI 3.0 or 3.1, as their JSON is read. Callbacks and webhooks are not compared.

    Raises:
        ConfigurationError: one is not such a document, or refers to what is not in it.
    """
    held = _document(old, "the older document"), _document(new, "the newer document")
    found = dict.fromkeys(_Documents(*held).changes())
    return tuple(sorted(found, key=lambda one: (not one.breaking, one.where)))


def _document(content: Mapping[str, Any], name: str) -> Document:
    version = content.get("openapi") if isinstance(content, dict) else None
    if not isinstance(version, str) or not version.startswith("3."):
        raise ConfigurationError(f"{name} is not of OpenAPI 3: openapi is {version!r:.40}")
    return Document(content, name)


class _Documents:
    """Two documents, operation by operation."""

    def __init__(self, old: Document, new: Document) -> None:
        self.old, self.new = old, new
        self._input = Comparison(old, new, output=False)
        self._output = Comparison(old, new, output=True)
        self._schemes = _schemes(old), _schemes(new)

    def changes(self) -> Iterator[Change]:
        """Return all changes."""
        was, now = _operations(self.old), _operations(self.new)
        for place, operation in was.items():
            if place in now:
                yield from self._of_operation(now[place][0], operation[1], now[place][1])
            else:
                yield Change(True, operation[0], "is no longer there")
        for place, (name, _) in now.items():
            if place not in was:
                yield Change(False, name, "is new")

    def _of_operation(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        yield from self._of_prose(name, old, new)
        yield from self._of_security(name, old, new)
        yield from self._of_parameters(name, old["parameters"], new["parameters"])
        yield from self._of_body(f"{name}, body", old.get("requestBody"), new.get("requestBody"))
        yield from self._of_answers(name, old.get("responses", {}), new.get("responses", {}))

    def _of_prose(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        was, now = old.get("operationId"), new.get("operationId")
        if was != now:
            yield Change(False, name, f"the operationId is {now}, and was {was}: generated clients name it differently")
        if new.get("deprecated") and not old.get("deprecated"):
            yield Change(False, name, "is deprecated now")

    # ---- credentials -----------------------------------------------------------------------------------------------

    def _of_security(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        was = _credentials(self.old, self._schemes[0], old)
        now = _credentials(self.new, self._schemes[1], new)
        if any(not any(one <= other for one in now) for other in was):
            yield Change(True, name, f"asks for {_asked(now)}; before: {_asked(was)}")
        elif any(not any(other <= one for other in was) for one in now):
            yield Change(False, name, f"lets in {_asked(now)}; before: {_asked(was)}")

    # ---- requests --------------------------------------------------------------------------------------------------

    def _of_parameters(
        self, name: str, old: Mapping[Any, Mapping[str, Any]], new: Mapping[Any, Mapping[str, Any]]
    ) -> Iterator[Change]:
        for place, was in old.items():
            where = f"{name}, {was['in']} {was['name']}"
            now = new.get(place)
            if now is None:
                yield Change(True, where, "is no longer taken")
                continue
            if now["name"] != was["name"] and was["in"] == "path":
                yield Change(False, where, f"is named {now['name']} now")
            if now.get("required") and not was.get("required"):
                yield Change(True, where, "is required now")
            elif was.get("required") and not now.get("required"):
                yield Change(False, where, "is no longer required")
            if now.get("deprecated") and not was.get("deprecated"):
                yield Change(False, where, "is deprecated now")
            if _style(was) != _style(now):
                yield Change(True, where, "is written in another style")
            yield from self._of_schema(where, _schema_of(was), _schema_of(now), output=False)
        for place, now in new.items():
            if place not in old:
                required = bool(now.get("required"))
                said = "is new, and required" if required else "is new"
                yield Change(required, f"{name}, {now['in']} {now['name']}", said)

    def _of_body(self, where: str, old: Any, new: Any) -> Iterator[Change]:
        was, now = self.old.resolved(old), self.new.resolved(new)
        if was is None or now is None:
            if was is not None:
                yield Change(True, where, "is no longer taken")
            elif now is not None:
                required = bool(now.get("required"))
                yield Change(required, where, "is new, and required" if required else "is new")
            return
        if now.get("required") and not was.get("required"):
            yield Change(True, where, "is required now")
        elif was.get("required") and not now.get("required"):
            yield Change(False, where, "is no longer required")
        yield from self._of_content(where, was, now, output=False)

    # ---- answers ---------------------------------------------------------------------------------------------------

    def _of_answers(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        for status, held in old.items():
            where = f"{name}, answer {status}"
            if status not in new:
                # An error that no longer happens leaves its handling unused.
                yield Change(str(status).startswith(("2", "3")), where, "is no longer given")
                continue
            was, now = self.old.resolved(held), self.new.resolved(new[status])
            yield from self._of_content(where, was, now, output=True)
            yield from self._of_headers(where, was.get("headers", {}), now.get("headers", {}))
        for status in new:
            if status not in old:
                yield Change(False, f"{name}, answer {status}", "is new")

    def _of_headers(self, where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        now = {name.lower(): self.new.resolved(held) for name, held in new.items()}
        for name, held in old.items():
            there = now.get(name.lower())
            if there is None:
                yield Change(True, f"{where}, header {name}", "is no longer there")
                continue
            was = self.old.resolved(held)
            if was.get("required") and not there.get("required"):
                yield Change(True, f"{where}, header {name}", "may be missing now")
            yield from self._of_schema(f"{where}, header {name}", _schema_of(was), _schema_of(there), output=True)

    # ---- values ----------------------------------------------------------------------------------------------------

    def _of_content(
        self, where: str, old: Mapping[str, Any], new: Mapping[str, Any], *, output: bool
    ) -> Iterator[Change]:
        was, now = _content(old), _content(new)
        for media, held in was.items():
            if media in now:
                yield from self._of_schema(where, held.get("schema", ANY), now[media].get("schema", ANY), output=output)
            else:
                yield Change(True, where, f"{media} is no longer {'given' if output else 'taken'}")
        for media in now:
            if media not in was:
                # Where there was nothing, a client has nothing to read.
                yield Change(
                    False, where, f"{media} is {'given' if output else 'taken'}, too" if was else f"has {media} now"
                )

    def _of_schema(self, where: str, old: Any, new: Any, *, output: bool) -> Iterator[Change]:
        comparison, breaks = (self._output, _BREAKS_ANSWERS) if output else (self._input, _BREAKS_REQUESTS)
        found = list(comparison.of(old, new))
        required = {one.path for one in found if one.kind == NARROWED and one.text.startswith("is new")}
        for one in found:
            if one.kind == ADDED and one.path in required and not output:
                continue  # it is told as one that is new, and required
            path = f"{where}, {one.path}" if one.path else where
            # A field that is new is in the answer more often than not: that it is required narrows nothing.
            if output and one.kind == NARROWED and one.text.startswith("is new"):
                continue
            yield Change(one.kind in breaks, path, one.text)


def _operations(document: Document) -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
    """Return the operations by path, without the names of its parameters, and method: the name, and the content."""
    found: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
    for path, held in document.content.get("paths", {}).items():
        item = document.resolved(held)
        for method in _METHODS:
            if method in item:
                operation = dict(item[method])
                given = [*item.get("parameters", ()), *operation.get("parameters", ())]
                operation["parameters"] = _by_place(path, [document.resolved(one) for one in given])
                found[_PARAMETER.sub("{}", path), method] = f"{method.upper()} {path}", operation
    return found


def _by_place(path: str, parameters: Iterable[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Return parameters by where they stand and by their name; those of the path by their place in it."""
    names = _PARAMETER.findall(path)
    found: dict[Any, dict[str, Any]] = {}
    for one in parameters:
        where, name = one["in"], one["name"]
        if where == "path" and f"{{{name}}}" in names:
            found[where, names.index(f"{{{name}}}")] = one
        else:
            found[where, name.lower() if where == "header" else name] = one
    return found


def _schemes(document: Document) -> dict[str, str]:
    """Return a text for each security scheme: its name in messages, and all that it is but for its prose."""
    found = {}
    for name, held in document.content.get("components", {}).get("securitySchemes", {}).items():
        scheme = {word: value for word, value in document.resolved(held).items() if word != "description"}
        shown = scheme.get("scheme") or scheme.get("name") or scheme.get("type")
        found[name] = f"{shown}\0{key(scheme)}"
    return found


def _credentials(document: Document, schemes: Mapping[str, str], operation: Mapping[str, Any]) -> list[frozenset[str]]:
    """Return the ways to be let in, each with what it needs; nothing is needed where there are none."""
    given = operation.get("security", document.content.get("security"))
    return [
        frozenset(
            {schemes.get(name, name) for name in way}
            | {f"the scope {scope}" for scopes in way.values() for scope in scopes}
        )
        for way in given or [{}]
    ]


def _asked(ways: Iterable[frozenset[str]]) -> str:
    return " or ".join(" and ".join(sorted(one.partition("\0")[0] for one in way)) or "nothing" for way in ways)


def _style(parameter: Mapping[str, Any]) -> tuple[str, bool]:
    style = parameter.get("style") or _STYLES.get(parameter["in"], "form")
    return style, bool(parameter.get("explode", style == "form"))


def _schema_of(parameter: Mapping[str, Any]) -> Any:
    for held in parameter.get("content", {}).values():
        return held.get("schema", ANY)
    return parameter.get("schema", ANY)


def _content(held: Mapping[str, Any]) -> dict[str, Any]:
    return {media.lower().replace(" ", ""): value for media, value in held.get("content", {}).items()}
