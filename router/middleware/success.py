"""`SuccessAnswers`: direct invokes answered in the form `{"success": ..., "data" or "error": ...}`."""

from __future__ import annotations

from router.dispatch.chain import Middleware
from router.errors import HTTPError, text_of
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.dispatch.chain import Around
    from router.event import Event


class SuccessAnswers(Middleware):
    """Answer a direct invoke with `{"success": True, "data": ...}` or `{"success": False, "error": ..., ...}`.

    It is for callers that were written for functions which answer so, and never fail. `error_type` is the name of the
    error's class. Lambda takes a call that failed for done: one that is called later is neither tried again nor kept
    in a dead-letter queue. The log has every error that is no refusal, with its traceback. Of other sources nothing
    changes.
    """

    def __call__(self, event: Event) -> Around:
        if event.source is not Source.INVOKE:
            yield
            return
        try:
            result = yield
        except Exception as error:
            if not isinstance(error, HTTPError) or error.status >= 500:
                from router.dispatch.tracebacks import log_error

                log_error("%s failed", error, event.route)
            yield {"success": False, "error": text_of(error), "error_type": type(error).__name__}
        else:
            yield {"success": True, "data": result}
