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

from router.environment.actions import holds, needed
from router.environment.usage import Call, compare, declared_by, write_calls
from router.session import _current
from router.testing.aws_calls import Listener, listen, unlisten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.environment.usage import Finding
    from router.resolver import Resolver
    from router.testing.aws_calls import ApiCall

_lock = threading.Lock()


class Calls(Listener):
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
        listen(self, needs_botocore=True)
        return self

    def __exit__(self, *_: object) -> None:
        unlisten(self)

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

    def prepared(self, call: ApiCall) -> None:
        """Note a call, or a URL that is signed for one."""
        route = getattr(_current.get(), "route", None)  # of an event, of a group, or around a session that was set
        if route is None or not any(known is route for known in self._declared.routes):
            return
        values = {name: os.environ.get(name, "") for name in self._declared.wanted_by()}
        service = call.service
        for action, names in needed(service, call.operation, call.parameters):
            variables = sorted(
                variable for variable, value in values.items() if any(holds(service, value, name) for name in names)
            )
            made = Call(str(route), action, names[0] if names else "", tuple(variables))
            with _lock:
                self._made[made] = self._made.get(made, 0) + 1
