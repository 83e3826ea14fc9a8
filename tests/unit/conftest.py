"""What no unit test may leave behind for the next one."""

from __future__ import annotations

import logging
from collections.abc import Iterator

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
