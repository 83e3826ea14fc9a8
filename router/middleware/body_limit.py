"""`BodyLimit`: how large the body of a request may be."""

from __future__ import annotations

from router.dispatch.chain import Middleware
from router.errors import ConfigurationError, ContentTooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.dispatch.chain import Around
    from router.event import Event


class BodyLimit(Middleware):
    """Refuse requests with a larger body, before anything of it is parsed: 413.

    limit: bytes of the body, base64 undone. Lambda itself takes 6 MB, behind a load balancer 1 MB. Of an HTTP
        route that agents call as a tool it is what would be the body over HTTP.
    """

    outside_auth = True

    def __init__(self, limit: int) -> None:
        if type(limit) is not int or limit < 0:
            raise ConfigurationError(f"BodyLimit({limit!r:.80}): give a number of bytes")
        self.limit = limit

    def __call__(self, event: Event) -> Around:
        counts = event._speaks_http or (event.route is not None and event.route.request is not None)
        if counts and len(event.body) > self.limit:
            raise ContentTooLarge(f"the body has {len(event.body):,} bytes; at most {self.limit:,} are accepted")
        yield
