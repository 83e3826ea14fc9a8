"""The options of `TestClient` calls: for editors and type checkers, and checked when it is called."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any, Literal, TypedDict, get_args

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from router.event import Source
    from router.testing.encoding import Fields, Files

HttpSource = Literal["rest", "http", "url", "alb", "lattice"]
HTTP_SOURCES: tuple[str, ...] = get_args(HttpSource)


class CallOptions(TypedDict, total=False):
    """The options of each HTTP verb of `TestClient`. Those of the second half depend on the source."""

    source: HttpSource | Source
    params: Fields | str
    headers: Mapping[str, str | Sequence[str]]
    cookies: Mapping[str, str]
    json: Any
    data: Fields
    files: Files
    body: str | bytes

    account: str
    api_id: str
    authorizer: Mapping[str, Any]
    domain: str
    identity: Mapping[str, str]
    multi_value: bool
    path_parameters: Mapping[str, str]
    region: str
    request_id: str
    resource: str
    route_key: str
    source_ip: str
    stage: str
    stage_variables: Mapping[str, str]
    timestamp: datetime
    url_id: str
    version: str


def check_options(
    build: Callable[..., Any], options: Iterable[str], *, without: Iterable[str] = (), own: Iterable[str] = ()
) -> None:
    """Refuse an option that neither a payload builder nor the verb knows.

    build: the builder, a function of `router.testing.samples`.
    options: the names that were given for it.
    without: names of its options that the verb has another form for.
    own: the verb's other options, to name them too.

    Raises:
        TypeError: it names the options that are known.
    """
    known = [name for name, one in signature(build).parameters.items() if one.kind is Parameter.KEYWORD_ONLY]
    allowed = [*own, *(name for name in known if name not in without)]
    for option in options:
        if option not in allowed:
            hint = _about_sessions(allowed) if option == "session" else f"known are {', '.join(allowed)}"
            raise TypeError(f"{option!r} is not an option of samples.{build.__name__}; {hint}")


def _about_sessions(allowed: list[str]) -> str:
    """Return why a call takes no session."""
    if "authorizer" in allowed or "headers" in allowed:
        return "a client hands in no session: give headers= or authorizer=, whatever the SessionPolicy reads"
    return "an event of this source carries none, and its handler runs for nobody"
