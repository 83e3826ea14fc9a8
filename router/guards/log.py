"""Log what guards have to say. What a client or a producer wrote starts no line there."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


INFO, WARNING, ERROR = 20, 30, 40  # of `logging`, which is not imported for them


def log(level: int, message: str, *values: Any) -> None:
    """Log a message whose values stay on its line.

    level: INFO, WARNING or ERROR.
    message: has a `%s` for each value.
    values: ids, names, errors.
    """
    from logging import getLogger

    logger = getLogger("router.guards")
    if not logger.isEnabledFor(level):
        return
    from router.dispatch.tracebacks import on_one_line
    from router.errors import text_of

    texts = [text_of(one) if isinstance(one, BaseException) else str(one) for one in values]
    logger.log(level, message, *[on_one_line(text[:2000]) for text in texts])
