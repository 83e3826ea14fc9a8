"""What no unit test may leave behind for the next one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def log_handlers_as_they_were(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take filters off pytest's own log handlers, which are one for all tests, and off those of the root logger."""
    plugin = request.config.pluginmanager.get_plugin("logging-plugin")
    handlers = [*logging.getLogger().handlers]
    if plugin is not None:
        handlers += [plugin.caplog_handler, plugin.report_handler]
    before = [(handler, handler.filters[:], handler.formatter) for handler in handlers]
    yield
    for handler, filters, formatter in before:
        handler.filters[:] = filters
        handler.setFormatter(formatter)


@pytest.fixture(autouse=True)
def loggers_as_they_were() -> Iterator[None]:
    """Set the loggers of applications back: other frameworks change their level, handlers and more.

    Chalice gives the logger of the application's name the level ERROR, and loggers below it then write no warnings.
    """
    before = {logger: _settings(logger) for logger in _loggers_of_applications()}
    yield
    for logger in _loggers_of_applications():
        now = _settings(logger)
        was = before.get(logger) or _settings(logging.Logger(logger.name))  # noqa: LOG001 - as it is when it is new
        if now != was:
            for name in now.keys() - was.keys():
                delattr(logger, name)
            vars(logger).update(was)
            logger.setLevel(was["level"])  # which forgets what was decided by the other one


def _loggers_of_applications() -> list[logging.Logger]:
    """Return the loggers that are named by no module: libraries set up their own once, when they are first used."""
    loggers = logging.Logger.manager.loggerDict.items()
    return [
        one for name, one in loggers if isinstance(one, logging.Logger) and name.partition(".")[0] not in sys.modules
    ]


def _settings(logger: logging.Logger) -> dict[str, Any]:
    """Return the attributes of a logger, without those that tie it to others."""
    kept = {name: value for name, value in vars(logger).items() if name not in ("_cache", "manager", "parent")}
    return {**kept, "handlers": logger.handlers[:], "filters": logger.filters[:]}
