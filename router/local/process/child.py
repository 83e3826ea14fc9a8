"""The application's process: import the application, tell what it is, and run calls, until the gateway says stop.

The first thread that it starts is the one that reads the wire, and that is after the import: what forks there is alone.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from copy import copy
from time import perf_counter
from typing import TYPE_CHECKING, Any

from router.local.process.parent import GATEWAY_GONE, adopt, end_with
from router.local.process.wire import BROKEN_WIRE, Kind, Wire, WireError, frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.local.process.application import Application
    from router.local.process.calling import Calls
    from router.local.process.workers import Workers
    from router.local.watch import Watch

_LIBRARY_LOG = "router"


def main(descriptor: int, parent: int) -> None:
    """Run an application.

    descriptor: of the socket to the gateway. parent: the gateway's process.
    """
    connection = socket.socket(fileno=descriptor)
    connection.set_inheritable(False)
    end_with(parent)  # the end of the wire tells it, too
    adopt()
    _be_first_victim()
    # Ctrl-C reaches all processes of a terminal. The gateway ends this one in order.
    signal.signal(signal.SIGINT, lambda number, held: None)
    wire = Wire(connection)
    os.register_at_fork(after_in_child=wire.close)
    frames = wire.frames()
    try:
        _serve(wire, frames)
    except WireError as error:
        sys.stderr.write(f"the gateway sent something strange: {error}\n")
        sys.exit(BROKEN_WIRE)
    except (OSError, StopIteration):
        _end_now()


def _serve(wire: Wire, frames: Iterator[tuple[Kind, Any]]) -> None:
    _preload()
    config = _expect(Kind.CONFIG, frames)
    began = perf_counter()
    os.environ.clear()
    os.environ.update(config["environment"])
    sys.path[:] = config["path"]
    if not config["keep_byte_code"]:
        sys.dont_write_bytecode = True
    _start_log()
    before = dict(os.environ)
    application = _imported(config, wire)
    if application is None:
        return
    wire.send(
        frame(
            Kind.DESCRIBED,
            {
                "application": application.name,
                "routes": application.routes,
                "functions": application.functions,
                "plan": application.plan,
                "problem": application.problem,
                "notes": application.notes,
                "variables": {name: value for name, value in os.environ.items() if before.get(name) != value},
            },
        )
    )
    go = _expect(Kind.GO, frames)
    os.environ.update(go["variables"])
    from router.local.process.calling import Calls
    from router.local.process.workers import Workers

    workers = Workers(config["threads"], _close_loop)
    watch = _observed(application, config["names"])
    calls = Calls(wire, application.handler, watch)
    wire.send(frame(Kind.READY, {"ms": (perf_counter() - began) * 1000}))
    threading.Thread(target=_read, args=(frames, calls, workers, watch), name="junction-wire", daemon=True).start()
    workers.run()


def _preload() -> None:
    """Import what every application needs here. A process that stands by has done so when a file is saved."""
    from router import contract  # noqa: F401
    from router.local import watch  # noqa: F401
    from router.local.aws import plan  # noqa: F401
    from router.local.process import application, calling, workers  # noqa: F401


def _expect(kind: Kind, frames: Iterator[tuple[Kind, Any]]) -> Any:
    """Return the next frame, which must be of one kind; a stop ends the process."""
    came, value = next(frames)
    if came is Kind.STOP:
        sys.exit(0)
    if came is not kind:
        raise WireError(f"{kind.name} was expected, and {came.name} came")
    return value


def _imported(config: dict[str, Any], wire: Wire) -> Application | None:
    """Return the application; None where it cannot be imported, which the gateway is told."""
    from router.local.process.application import load

    try:
        return load(config["application"], config["names"], config["fixed"])
    except BaseException as error:
        from router.local.process.failures import import_failure

        wire.send(frame(Kind.BROKEN, import_failure(error)))
        if isinstance(error, KeyboardInterrupt):
            raise
        return None


def _observed(application: Application, names: dict[str, Any]) -> Watch:
    """Put the watch around an application."""
    from router.local.watch import Watch

    account = {"account": names["account"]} if "account" in names else {}
    return Watch(stack=application.stack, **account).install(application.resolver)


def _read(frames: Iterator[tuple[Kind, Any]], calls: Calls, workers: Workers, watch: Watch) -> None:
    """Take frames, until the gateway says stop or is gone."""
    try:
        for kind, value in frames:
            if kind is Kind.INVOKE:
                workers.submit(calls.work(value))
            elif kind is Kind.CREDIT:
                calls.credit(value["id"], value["size"])
            elif kind is Kind.GONE:
                calls.credit(value["id"], -1)
            elif kind is Kind.WHERE:
                calls.tell_where(value["id"])
            elif kind is Kind.STOP:
                workers.stop()
            elif kind is Kind.FAULTS:
                watch.faults.set(value)
            else:
                raise WireError(f"a frame of kind {kind.name} came")
    except OSError:
        pass
    except BaseException as error:  # a process that hears nothing would hang
        sys.stderr.write(f"the gateway sent something strange: {error!r}\n")
        sys.stderr.flush()
        os._exit(BROKEN_WIRE)
    _end_now()


def _close_loop() -> None:
    """Close the event loop of a thread, and so the clients that live on it, where an async handler has run in it."""
    loop = sys.modules.get(f"{__name__.rpartition('.local.')[0]}.dispatch.loop")
    if loop is not None:
        loop.close_loop()


def _start_log() -> None:
    """Log to standard error, unless the application sets up its own log."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S"))
    logging.getLogger().addHandler(handler)


class _Lines(logging.Formatter):
    """Write lines of a log, without the tracebacks of events that failed: the gateway shows those with their source."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        if record.name == _LIBRARY_LOG and record.exc_info:
            record = copy(record)
            record.exc_info = record.exc_text = None
        return super().format(record)


def _be_first_victim() -> None:
    """Have Linux end this process before the gateway, where memory is short."""
    if sys.platform == "linux":
        try:
            with open("/proc/self/oom_score_adj", "w") as held:
                held.write("800")
        except OSError:
            pass


def _end_now() -> None:
    """End the process at once: nobody is there to take an answer."""
    os._exit(GATEWAY_GONE)
