"""Serve the OpenAPI document of an application as routes of its own, with a page that shows it.

    serve_openapi(resolver, Info("The shop", "1.4.0"))

Nothing that makes documents is imported before the first request for one.
"""

from __future__ import annotations

from _thread import allocate_lock
from typing import TYPE_CHECKING

from router.contract.interface.calls import called, check_call
from router.contract.openapi.script import path_below
from router.errors import ConfigurationError
from router.event import Event
from router.resolver import Resolver
from router.response import Response
from router.routing.paths import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Never

    from router.contract.interface.model import Info
    from router.contract.openapi.content import Content, Packed


def serve_openapi(
    resolver: Resolver,
    info: Info,
    *,
    path: str = "/openapi.json",
    docs: str | None = "/docs",
    auth: Any = None,
    permission: Callable[..., Any] | None = None,
    require: Iterable[str] = (),
    function: str | None = None,
    max_age: int = 60,
    **unknown: Never,
) -> None:
    """Register routes that answer with the OpenAPI document of an application, and with a page that shows it.

    The document is made once per process: before a snapshot of SnapStart, or at the first request for it. These routes
    are not part of it. `junction check` says whether it can be made.

    resolver: the application. Routes that are registered later are in the document, too.
    info: its title, version and the like.
    path: of the document.
    docs: the path of the page; None for no page.
    auth: the credentials that let somebody see both, as of any route; "off" where the resolver asks for some. A browser
        sends none but cookies when somebody opens a page.
    permission: as of any route.
    require: what the session must have; nothing, as the document is the same for everybody.
    function: the Lambda function that answers, where an application is deployed as several.
    max_age: seconds for which a client uses the document without asking again, where nobody is asked who they are.

    Raises:
        ConfigurationError: an argument is of another type or not known, a path is not one that a browser can open, or
            `max_age` is not a number of seconds.
    """
    check_call(serve_openapi, resolver, info, unknown)
    _check_path("path", path)
    if type(max_age) is not int or max_age < 0:
        raise ConfigurationError(f"serve_openapi(max_age={max_age!r:.40}): give seconds, from 0")
    served = Served(resolver, info, max_age)
    access: dict[str, Any] = {"auth": auth, "permission": permission, "function": function}
    options: dict[str, Any] = {
        **{name: value for name, value in access.items() if value is not None},
        "require": require,
        "requires": {},
        "envelope": "off",
        "include_in_schema": False,
    }

    def openapi_document(event: Event) -> Response:
        """Return the OpenAPI document."""
        content = served.guarded() if _is_guarded(event) else served.content()
        return content.answer(event)

    openapi_document.served = served  # type: ignore[attr-defined]  # for `junction check`
    called(openapi_document, "serve_openapi(path=...)")
    resolver.get(path, **options)(openapi_document)
    resolver.before_snapshot(served.content)
    if docs is not None:
        _check_path("docs", docs)
        _serve_page(resolver, info.title, path, docs, options)


def _serve_page(resolver: Resolver, title: str, document: str, docs: str, options: dict[str, Any]) -> None:
    """Register the page and its script."""

    def openapi_page(event: Event) -> Response:
        """Return the page that shows the OpenAPI document."""
        from router.contract.openapi import viewer

        return viewer.page(title, document, docs, slash=event.path.endswith("/"))

    def openapi_script(event: Event) -> Response:
        """Return the script of the page."""
        from router.contract.openapi import viewer

        return viewer.script().answer(event)

    for handler in (openapi_page, openapi_script):
        called(handler, "serve_openapi(docs=...)", 3)
    resolver.get(docs, **options)(openapi_page)
    resolver.get(path_below(docs), **options)(openapi_script)


class Served:
    """The document of an application, made when it is first asked for.

    resolver: the application. info: its title, version and the like.
    max_age: seconds for which a client uses the document without asking again.
    """

    __slots__ = ("_content", "_guarded", "_lock", "info", "max_age", "resolver")
    what = "document"

    def __init__(self, resolver: Resolver, info: Info, max_age: int) -> None:
        self.resolver = resolver
        self.info = info
        self.max_age = max_age
        self._lock = allocate_lock()
        self._content: Content | None = None
        self._guarded: Packed | None = None

    def build(self) -> bytes:
        """Return the document as JSON.

        Raises:
            ConfigurationError: a route cannot be described; it names the route with file and line.
        """
        from json import dumps

        from router.contract.interface.reading import describe
        from router.contract.openapi.document import openapi

        document = openapi(describe(self.resolver, self.info))
        return dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    def content(self) -> Content:
        """Return the document as it is sent; threads that ask at the same time get one and the same.

        Raises:
            ConfigurationError: as `build`.
        """
        if self._content is None:
            with self._lock:
                if self._content is None:
                    from router.contract.openapi.content import Content

                    # Who may see it is not for a shared cache to decide.
                    self._content = Content(self.build(), "application/json", f"private, max-age={self.max_age}")
        return self._content

    def guarded(self) -> Packed:
        """Return the document for those whom credentials or a permission have let in.

        A browser asks again each time: who uses it next may not be let in.

        Raises:
            ConfigurationError: as `build`.
        """
        if self._guarded is None:
            self._guarded = self.content().cached("private, no-cache")
        return self._guarded


def _is_guarded(event: Event) -> bool:
    """Whether not everybody is let in."""
    if "identity" in event.state or "bypass" in event.state:
        return True
    permission = None if event.route is None else event.route.permission
    if permission is None:
        return False
    from router.guards.permissions import anyone

    return permission is not anyone


def _check_path(name: str, path: str) -> None:
    if not isinstance(path, str) or not path.startswith("/") or any(kind != "static" for kind, _ in parse(path)):
        raise ConfigurationError(f"serve_openapi({name}={path!r:.80}): give a path without parameters, such as /{name}")
