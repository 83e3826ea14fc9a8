"""`Calls`: which calls to AWS the routes of an application make, beside what they declare with `requires=`.

    @pytest.fixture(scope="session", autouse=True)
    def calls():
        with Calls(resolver) as calls:
            yield
        calls.check()

It sees every client of botocore and boto3, also one that was made before, at the place where botocore has put together
the parameters of a call or of a presigned URL.
"""

from __future__ import annotations

import os
import threading
from functools import wraps

from router.environment.actions import holds, needed, prefix_of
from router.environment.usage import Call, compare, declared_by, write_calls
from router.errors import ConfigurationError
from router.session import _current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from router.environment.usage import Finding
    from router.resolver import Resolver

_lock = threading.Lock()
_listening: list[Calls] = []
_original: Any = None  # botocore's own function, while another stands in its place


class Calls:
    """Notes the calls that routes make while the `with` block runs. What tests call themselves is not noted.

    resolver: the application.

    Raises:
        ConfigurationError: botocore is not installed (extra `aws`); on entering.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._declared = declared_by(resolver)
        self._made: dict[Call, int] = {}

    def __enter__(self) -> Calls:
        with _lock:
            if not _listening:
                _listen()
            _listening.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        with _lock:
            _listening.remove(self)
            if not _listening:
                _stop_listening()

    @property
    def made(self) -> list[Call]:
        """Return the calls so far, each once."""
        with _lock:
            return sorted(self._made)

    def findings(self, *, unused: Iterable[str] | bool = ()) -> list[Finding]:
        """Return how the calls differ from what is declared; see `check`."""
        # Another application may be tested in the same process.
        return compare(self._resolver, self.made, unused=unused, others=False)

    def check(self, *, unused: Iterable[str] | bool = ()) -> None:
        """Fail unless all that was called is declared, and all that is declared was called.

        unused: the operations that may stay uncalled, such as `["s3:ListBucket"]`; True for all.

        Raises:
            AssertionError: listing the differences.
        """
        found = self.findings(unused=unused)
        if found:
            lines = "\n".join(f"  {one}" for one in found)
            raise AssertionError(f"requires= and the calls that were made differ:\n{lines}")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the calls into a file, for `junction check APP --calls FILE`."""
        write_calls(path, self.made)

    def _note(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        route = getattr(_current.get(), "route", None)  # of an event, of a group, or around a session that was set
        if route is None or not any(known is route for known in self._declared.routes):
            return
        values = {name: os.environ.get(name, "") for name in self._declared.wanted_by()}
        for action, names in needed(service, operation, parameters):
            variables = sorted(
                variable for variable, value in values.items() if any(holds(service, value, name) for name in names)
            )
            call = Call(str(route), action, names[0] if names else "", tuple(variables))
            with _lock:
                self._made[call] = self._made.get(call, 0) + 1


def _listen() -> None:
    """Put a function of ours in the place where botocore's clients have a call's parameters."""
    global _original
    # An event handler of botocore would be of one session or client: those made at import are out of its reach.
    clients = _botocore_clients()
    original = _original = clients._emit_api_params

    @wraps(original)
    def heard(self: Any, api_params: Any, operation_model: Any, *args: Any, **kwargs: Any) -> Any:
        parameters = original(self, api_params, operation_model, *args, **kwargs)
        service = prefix_of(operation_model.service_model.signing_name)
        for calls in tuple(_listening):
            calls._note(service, operation_model.name, parameters)
        return parameters

    clients._emit_api_params = heard


def _stop_listening() -> None:
    global _original
    _botocore_clients()._emit_api_params = _original
    _original = None


def _botocore_clients() -> Any:
    """Return the base class of all clients."""
    try:
        from botocore.client import BaseClient
    except ImportError:
        raise ConfigurationError('Calls needs botocore: pip install "lambda-junction[aws]"') from None
    return BaseClient
