"""The list of tools that a server of MCP tells, made at the first question and kept."""

from __future__ import annotations

from router.encode import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.contract.interface.model import Info
    from router.resolver import Resolver


class Listing:
    """The tools of an application.

    resolver: the application. info: of the server.
    """

    what = "list of tools"

    def __init__(self, resolver: Resolver, info: Info) -> None:
        self._resolver = resolver
        self.info = info
        self._written: str | None = None

    @property
    def written(self) -> str:
        """Return the member `tools` of the list as JSON.

        Raises:
            ConfigurationError: a route cannot be described; it names the route with its file and line.
        """
        if self._written is None:
            self._written = self.build()
        return self._written

    def build(self) -> str:
        """Make the list. Raises ConfigurationError as `written`."""
        # Only here: a process that nobody asks for the list needs nothing that describes routes.
        from router.contract.interface import describe
        from router.contract.tools.catalogue import catalogue
        from router.contract.tools.exports import listed

        tools = [listed(tool) for tool in catalogue(describe(self._resolver, self.info))]
        return f'"tools":{dumps(tools).decode()}'
