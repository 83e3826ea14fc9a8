"""`Finding`: one thing that is wrong, with the file and the line, in the forms in which people and tools read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.contract.model import Place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from router.routing.route import Route

ERROR, WARNING = "error", "warning"
RULES = {
    "architecture": "a library in the package is for another machine",
    "blocking": "an async handler makes a call that stops the event loop",
    "byte-code": "the package has no byte code, or some that is not used",
    "calls-undeclared": "a test made a call that its route does not declare",
    "calls-unknown": "calls are recorded of a route that is not there",
    "calls-unused": "a declared operation is never called",
    "conflict": "the environment gives two routes the same name",
    "dead-letter": "a queue has no queue for what fails",
    "developers": "the package ships tools of developers",
    "document": "a document that the application serves, or its list of tools for agents, cannot be made",
    "filters": "filters drop what a route takes, or what should fail",
    "handler": "the handler is not in its module, or that is not in the package",
    "infrastructure": "the stack cannot be told from the routes",
    "merged": "packages of one name were merged in the package",
    "no-function": "no function of the template serves a route",
    "no-route": "a trigger brings what no route takes",
    "no-trigger": "no trigger brings the events of a route",
    "operations": "a declared operation is none of AWS",
    "parameters": "no argument takes a parameter of the path, beside one that has to come from the query",
    "partial-responses": "a mapping takes every answer for success",
    "permissions": "no policy allows what a route needs",
    "policies": "a policy is not in the template, and not checked",
    "sessions": "messages of a WebSocket API need a session, and nothing keeps that of their connection",
    "size": "the package is too large",
    "tenant-isolation": "a function that isolates tenants has a mapping",
    "twice": "boto3 is shipped twice, in the package or in a layer beside it",
    "undeclared": "a route declares nothing",
    "unreachable": "an earlier route takes all that a route would take",
    "unused-permission": "a policy allows what no route needs",
    "variables": "a variable is not set",
    "visibility": "a queue hides messages for too short a time",
}
"""The rules, in alphabetical order, each with what it finds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    rule: its name, `visibility`; `--ignore` takes it.
    text: all of it in a sentence.
    place: where it is written; None where no line has it.
    level: ERROR, which fails the check, or WARNING.
    """

    rule: str
    text: str
    place: Place | None = None
    level: str = ERROR

    def __str__(self) -> str:
        what = f"{self.text} ({self.place})" if self.place else self.text
        return f"{what} [{self.rule}]"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON data: rule, level, text, file and line, which may be null."""
        return {
            "rule": self.rule,
            "level": self.level,
            "text": self.text,
            "file": self.place.file if self.place else None,
            "line": self.place.line if self.place else None,
        }

    def as_annotation(self) -> str:
        """Return the line that GitHub Actions shows beside the code.

        https://docs.github.com/actions/reference/workflow-commands-for-github-actions
        """
        where = [f"file={_property(self.place.file)}", f"line={self.place.line}"] if self.place else []
        settings = ",".join([*where, f"title={_property(f'junction check: {self.rule}')}"])
        return f"::{self.level} {settings}::{_data(self.text)}"


def of_route(rule: str, route: Route, text: str, level: str = ERROR) -> Finding:
    """Return a finding of a route: its text begins with the route, and its place is that of the handler."""
    return Finding(rule, f"{route}: {text}", place_of(route), level)


def in_order(found: Iterable[Finding]) -> list[Finding]:
    """Return findings without repetition: errors first, by file and line, and last what has no place."""
    return sorted(
        dict.fromkeys(found),
        key=lambda one: (one.level != ERROR, one.place is None, one.place or Place("", 0)),
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
