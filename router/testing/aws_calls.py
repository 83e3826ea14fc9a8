"""Look at calls of AWS where botocore makes them: every client, also one that was made before.

botocore's own events are of one session or client, and those made at import are out of their reach. So functions of
ours stand around three of botocore's, for as long as somebody listens.
"""

from __future__ import annotations

import sys
import threading
from contextvars import ContextVar
from functools import wraps
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import PathFinder
from time import perf_counter, time

from router.environment.actions import prefix_of
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_CLIENTS = "botocore.client"

_lock = threading.RLock()
_listeners: tuple[Listener, ...] = ()
_originals: dict[tuple[type, str], Any] = {}  # botocore's own functions, while others stand in their place
_running: ContextVar[ApiCall | None] = ContextVar("aws_call", default=None)


class ApiCall:
    """One call of an operation, with all tries of botocore.

    client: of botocore.
    service: as IAM calls it, `states`. name: as botocore calls it, `stepfunctions`.
    operation: as the API calls it, `SendMessage`.
    parameters: of the call; those that go out, once botocore has put them together.
    is_signed_only: a URL is signed for somebody else, who calls.
    at: when it began, in epoch seconds. ms: how long it took, in milliseconds.
    tries: how often it was sent.
    answer, error: what came of it.
    notes: free for those who listen.
    """

    __slots__ = (
        *("answer", "at", "began", "client", "error", "is_signed_only", "ms", "name", "notes", "operation"),
        *("parameters", "service", "tries"),
    )

    def __init__(self, client: Any, operation: str, parameters: Any, *, is_signed_only: bool = False) -> None:
        model = client.meta.service_model
        self.client = client
        self.service = prefix_of(model.signing_name)
        self.name: str = model.service_name
        self.operation = operation
        self.parameters: Any = parameters
        self.is_signed_only = is_signed_only
        self.at = time()
        self.began = perf_counter()
        self.ms = 0.0
        self.tries = 0
        self.answer: Any = None
        self.error: BaseException | None = None
        self.notes: dict[str, Any] = {}


class Listener:
    """Base of what listens to calls. An error of `sending` is one of the call; others are for the listener to catch."""

    def began(self, call: ApiCall) -> None:
        """Note that a call begins."""

    def prepared(self, call: ApiCall) -> None:
        """Note that the parameters of a call are put together."""

    def sending(self, call: ApiCall, request: Any) -> Any:
        """Look at a request right before it is sent, at each try.

        request: of botocore, signed; headers can be added.

        Return an answer (`AWSResponse`) in place of that of the service, or None. Raise an `HTTPClientError` of
        botocore for a request that does not come through.
        """

    def sent(self, call: ApiCall) -> None:
        """Look at a try that the service has answered. Raise an `HTTPClientError` for an answer that gets lost."""

    def ended(self, call: ApiCall) -> None:
        """Note that a call has ended, with an answer or an error."""


def listen(listener: Listener, *, needs_botocore: bool = False) -> None:
    """Begin to tell a listener of every call.

    needs_botocore: whether botocore is imported now; else once somebody imports it.

    Raises:
        ConfigurationError: it is needed, and not installed (extra `aws`).
    """
    global _listeners
    with _lock:
        if not _listeners:
            if needs_botocore:
                _import_botocore(type(listener).__name__)
            if _CLIENTS in sys.modules:
                _put_in_place()
            else:
                sys.meta_path.insert(0, _Finder())
        elif needs_botocore and not _originals:
            _import_botocore(type(listener).__name__)
        _listeners = (*_listeners, listener)


def unlisten(listener: Listener) -> None:
    """Tell a listener of nothing more. With the last one, botocore is as it was."""
    global _listeners
    with _lock:
        _listeners = tuple(one for one in _listeners if one is not listener)
        if not _listeners:
            sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, _Finder)]
            for (kind, name), original in _originals.items():
                setattr(kind, name, original)
            _originals.clear()


def _import_botocore(who: str) -> None:
    try:
        import botocore.client  # noqa: F401
    except ImportError:
        raise ConfigurationError(f'{who} needs botocore: pip install "lambda-junction[aws]"') from None


class _Finder(MetaPathFinder):
    """Put our functions in place as soon as somebody imports botocore's clients."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != _CLIENTS:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Then(spec.loader, _put_in_place)
        return spec


class _Then(Loader):
    """Load a module as its own loader does, and do something then."""

    def __init__(self, loader: Loader, then: Callable[[], None]) -> None:
        self._loader = loader
        self._then = then

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        with _lock:
            if _listeners and not _originals:
                self._then()


# ---- around botocore -----------------------------------------------------------------------------------------------


def _put_in_place() -> None:
    """Put our functions around botocore's; the caller holds the lock."""
    from botocore.client import BaseClient
    from botocore.endpoint import Endpoint

    _put(BaseClient, "_make_api_call", _around_call)
    _put(BaseClient, "_emit_api_params", _around_parameters)
    _put(Endpoint, "_do_get_response", _around_try)


def _put(kind: Any, name: str, around: Callable[[Any], Any]) -> None:
    original = _originals[kind, name] = getattr(kind, name)
    setattr(kind, name, wraps(original)(around(original)))


def _around_call(original: Any) -> Any:
    def make(client: Any, operation_name: str, api_params: Any) -> Any:
        listeners = _listeners
        call = ApiCall(client, operation_name, api_params)
        for listener in listeners:
            listener.began(call)
        token = _running.set(call)
        try:
            call.answer = original(client, operation_name, api_params)
            return call.answer
        except BaseException as error:
            call.error = error
            raise
        finally:
            _running.reset(token)
            call.ms = (perf_counter() - call.began) * 1000
            for listener in listeners:
                listener.ended(call)

    return make


def _around_parameters(original: Any) -> Any:
    def put_together(client: Any, api_params: Any, operation_model: Any, *args: Any, **kwargs: Any) -> Any:
        parameters = original(client, api_params, operation_model, *args, **kwargs)
        call = _running.get()
        if call is None or call.client is not client or call.operation != operation_model.name:
            call = ApiCall(client, operation_model.name, parameters, is_signed_only=True)
        call.parameters = parameters
        for listener in _listeners:
            listener.prepared(call)
        return parameters

    return put_together


def _around_try(original: Any) -> Any:
    def send(endpoint: Any, request: Any, operation_model: Any, context: Any) -> Any:
        call = _running.get()
        if call is None:
            return original(endpoint, request, operation_model, context)
        call.tries += 1
        from botocore.exceptions import HTTPClientError

        try:
            for listener in _listeners:
                answer = listener.sending(call, request)
                if answer is not None:
                    return original(_Answering(endpoint, answer), request, operation_model, context)
            result = original(endpoint, request, operation_model, context)
            if result[1] is None:
                for listener in _listeners:
                    listener.sent(call)
        except HTTPClientError as error:
            return None, error  # as botocore has it: it decides about another try
        return result

    return send


class _Answering:
    """Stand in for botocore's endpoint at one try, which is answered here instead of being sent.

    A handler of botocore's own event `before-send` would not do: others of it, such as those of moto, would have done
    already what the service does.
    """

    def __init__(self, endpoint: Any, answer: Any) -> None:
        self._endpoint = endpoint
        self._answer = answer
        self._event_emitter = self

    def emit(self, name: str, **kwargs: Any) -> Any:
        if name.startswith("before-send."):
            return [(None, self._answer)]
        return self._endpoint._event_emitter.emit(name, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._endpoint, name)
