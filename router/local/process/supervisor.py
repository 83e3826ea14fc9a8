"""`Supervisor`: keeps a process of the application running, hands calls to it, and replaces it."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any

from router.local.calls import Outcome
from router.local.process import faulty
from router.local.process.changes import Changes
from router.local.process.endings import exit_failure, import_error, words_of
from router.local.process.failures import plain_failure
from router.local.process.processes import Processes
from router.local.process.running import CannotStart, Running
from router.local.process.starting import start, variables_of_process
from router.local.process.tasks import Tasks
from router.local.process.teller import Teller
from router.local.process.told import Told
from router.local.process.waiting import Waiting
from router.local.watch.failures import failure_of
from router.testing.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from router.local.calls import Call
    from router.local.entries import Entry, Failure, Journal
    from router.local.process.running import Pending
    from router.local.process.starting import Prepare
    from router.local.settings import Settings

THREADS = 32
"""Calls that run at a time in one process."""

_PATIENCE = 3.0  # seconds
_START = 30.0  # seconds that a call waits at least for the application to start
_SLOW = 10.0  # seconds of a start, after which somebody may want to know; Lambda's limit of an import
_DRAIN = 5.0  # seconds that calls have to end when the gateway stops
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.25, 15.0  # seconds before a process that ended too soon is replaced


class Supervisor:
    """Call the application, in a process of its own, which is replaced on a change of a file, a hang, or its death.

    settings: of the run. journal: takes what is seen of calls.
    environment: returns the variables of AWS.
    prepare: makes what the plan of an application asks for, and returns further variables.
    names: returns the fields of `router.local.aws.names.Names`.
    say: takes a line for the terminal.
    threads: calls that run at a time.
    patience: seconds that a call waits while the application cannot be imported. Calls of AWS wait as long as they may.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        *,
        environment: Callable[[], Mapping[str, str]] = dict,
        prepare: Prepare | None = None,
        names: Callable[[], Mapping[str, Any]] = dict,
        say: Callable[[str], None] = lambda line: None,
        threads: int = THREADS,
        patience: float = _PATIENCE,
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._prepare = prepare
        self._names = names
        self._threads = threads
        self._listeners: list[Callable[[], None]] = []
        self._waiting = Waiting(patience)
        self._current: Running | None = None
        self._replacing: asyncio.Task[None] | None = None
        self._retired: dict[Running, asyncio.Task[None]] = {}
        self._processes = Processes(self._made, self._variables, settings.folder, spares=settings.reload)
        self._state = "starting"
        self._error: Failure | None = None
        self._took_ms: float | None = None
        self._reloads = 0
        self._deaths = 0  # in a row
        self._is_fresh = False  # whether files were changed a moment ago
        self._is_stopping = self._is_ending = False
        self._settled = asyncio.Event()
        self._told = Told(settings, {}, {})
        self.faults = Faults()
        """The faults on purpose. `put_faults` hands them on after a change."""
        self.teller = Teller(
            journal, say, self.faults, lambda call: faulty.routes_of(call, self.routes, self.variables)
        )
        """Tells what happens. It can keep remarks until somebody is there to read them."""
        self._changes = Changes(settings.folder, self._changed, self.teller.notice)
        self._tasks = Tasks(settings, journal, say)

    # ---- what others see -------------------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        """Return how the application is, as JSON data.

        state: "starting", "ready", "reloading" or "broken". error: why it cannot be imported.
        took_ms: of the last start. reloads: since the start. pid: of the process.
        """
        return {
            "state": self._state,
            "error": self._error,
            "took_ms": self._took_ms,
            "reloads": self._reloads,
            "pid": None if self._current is None else self._current.pid,
        }

    @property
    def routes(self) -> list[dict[str, Any]]:
        """Return the routes of the application; those of its last version that could be imported."""
        return self._told.routes

    @property
    def plan(self) -> dict[str, Any] | None:
        """Return what AWS has to hold for the application; None where it cannot be told."""
        return self._told.plan

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables of the application, beside those of AWS itself."""
        return self._told.variables

    @property
    def problem(self) -> str:
        """Return why there is no plan; empty where there is one."""
        return self._told.problem

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a function whenever `state` has changed."""
        self._listeners.append(listener)

    async def settled(self) -> dict[str, Any]:
        """Wait until the application takes calls or cannot be imported, and return the state."""
        await self._settled.wait()
        return self.state

    # ---- its life --------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the application's process and begin to watch its files. `settled` waits for what comes of it."""
        if self._settings.reload:
            self._is_fresh = await self._changes.look()
            self._changes.start()
        self._begin("start")

    def expect_end(self) -> None:
        """Take note that the run ends: a process that ends from now on, as by a signal to all, is not replaced."""
        self._is_ending = True

    async def stop(self) -> None:
        """Let calls that are under way end, for some seconds, then end all processes; at once where it is cancelled."""
        self._is_stopping = True
        self._waiting.release()
        try:
            await self._changes.stop()
            if self._replacing is not None:
                self._replacing.cancel()
                await asyncio.wait([self._replacing])
            if self._current is not None:
                self._retire(self._current, _DRAIN)
            retiring = (asyncio.wait_for(one, 2 * _DRAIN) for one in self._retired.values())
            await asyncio.gather(self._tasks.stop(), *retiring, return_exceptions=True)
        finally:
            self._tasks.kill()
            await self._processes.end()

    def kill(self) -> None:
        """End the application's process at once, as a fault on purpose does; another one follows."""
        if self._current is not None:
            self._current.kill()

    def put_faults(self) -> None:
        """Hand the rules of `faults` on to the application's process, after a change."""
        if self._current is not None:
            self._current.put_faults(self.faults.to_json())

    def reload(self, reason: str = "asked for") -> None:
        """Replace the application's process."""
        self._begin(reason)

    def _changed(self, files: list[str]) -> None:
        self._is_fresh = True
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        self._begin(f"{files[0]}{more} changed")

    def _begin(self, reason: str, delay: float = 0.0) -> None:
        """Start a new process beside the one that there is; what is being started already is given up."""
        if self._is_stopping:
            return
        before = self._replacing
        if before is not None:
            before.cancel()
        self._set("starting" if self._took_ms is None and self._error is None else "reloading")
        self._replacing = asyncio.get_running_loop().create_task(self._replace(reason, delay, before))

    async def _replace(self, reason: str, delay: float, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        await asyncio.sleep(delay)
        began = perf_counter()
        running = self._processes.take()
        slow = asyncio.get_running_loop().call_later(_SLOW, self._tell_slow, running)
        try:
            held, prepared = await start(
                running,
                self._settings,
                environment=self._variables(),
                names=self._names(),
                prepare=self._prepare,
                threads=self._threads,
                keep_byte_code=not self._is_fresh,
            )
            if running.ended.done():
                raise CannotStart(exit_failure(running.ended.result(), 0), ended=True)
        except CannotStart as error:
            running.kill()
            self._broken(error)
        except Exception as error:
            running.kill()
            self._broken(CannotStart(failure_of(error)))
        except BaseException:
            running.kill()
            raise
        else:
            self._told = Told(self._settings, held, prepared)
            self._take_over(running, reason, (perf_counter() - began) * 1000)
        finally:
            slow.cancel()
            self._processes.stand_by()

    def _made(self) -> Running:
        """Return a process that is not started yet."""
        return Running(
            begins=self.teller.begins,
            report=self._report,
            on_end=self._ended,
            on_stuck=self._stuck,
            threads=self._threads,
        )

    def _variables(self) -> dict[str, str]:
        return variables_of_process(self._settings, self._environment(), self._told.prepared)

    def _tell_slow(self, running: Running) -> None:
        what = "AWS is still prepared" if running.described.done() else "it is still imported"
        self.teller.notice(f"the application has not started after {_SLOW:g} s: {what}")

    def _take_over(self, running: Running, reason: str, ms: float) -> None:
        """Let a process that is ready take the calls; the one before it ends when its calls have."""
        before, self._current = self._current, running
        if self.faults.rules:
            self.put_faults()
        if before is not None:
            self._retire(before)
        was_start = self._took_ms is None
        self._took_ms, self._error = ms, None
        if was_start:
            self.teller.notice(f"started in {ms:,.0f} ms", ms=ms)
        else:
            self._reloads += 1
            what = "reloaded" if reason.endswith(" changed") else "started again"
            self.teller.notice(f"{what} in {ms:,.0f} ms ({reason})", ms=ms)
        for note in (*self._told.notes, *self.problem.splitlines()):
            self.teller.remark(note)
        self._set("ready")
        self._waiting.serve(running)

    def _broken(self, error: CannotStart) -> None:
        """Note that the application cannot be imported; one whose process ended is tried again, later and later."""
        if self._current is not None:
            self._retire(self._current)
            self._current = None
        before, self._error = self._error, error.failure
        if before != error.failure:  # it may be tried again and again
            self.teller.remark(
                f"the application cannot be started: {error.failure['type']}: {error}", failure=error.failure
            )
        self._set("broken")
        if error.ended:
            self._deaths += 1
            asyncio.get_running_loop().call_later(self._backoff(), self._try_again, self._replacing)

    def _try_again(self, of: asyncio.Task[None] | None) -> None:
        if self._state == "broken" and self._replacing is of:
            self._begin("tried again")

    def _backoff(self) -> float:
        return float(min(_FIRST_BACKOFF * 2 ** (self._deaths - 1), _LONGEST_BACKOFF))

    def _retire(self, running: Running, grace: float | None = None) -> None:
        if running is self._current:
            self._current = None
        if running not in self._retired and not running.ended.done():
            self._retired[running] = asyncio.get_running_loop().create_task(running.retire(grace))

    def _stuck(self, running: Running, why: str) -> None:
        """Replace a process in which a call hangs, or which a handler wants to end."""
        if running is self._current:
            self._retire(running)
            self.teller.notice(f"{why}: the application's process is replaced")
            self._begin(why)

    def _ended(self, running: Running) -> None:
        """Take note of the end of a process. Where it was not retired, another one follows."""
        self._retired.pop(running, None)
        self._processes.ended(running)
        if running is not self._current:
            return
        self._current = None
        if self._is_ending:
            return
        status = running.ended.result()
        self._deaths = 1 if running.answered else self._deaths + 1
        self.teller.notice(
            f"the application's process ended ({words_of(status)}); a new one is started",
            failure=plain_failure("Runtime.ExitError", words_of(status)),
        )
        self._begin("it ended", 0.0 if running.answered or self._deaths == 1 else self._backoff())

    def _set(self, state: str) -> None:
        self._state = state
        if state == "broken":
            self._waiting.lose_patience()
        else:
            self._waiting.hope()
        if state in ("ready", "broken"):
            self._settled.set()
        else:
            self._settled.clear()
        for listener in self._listeners:
            listener()

    # ---- calls -----------------------------------------------------------------------------------------------------

    async def invoke(self, call: Call) -> Outcome:
        """Make a call. It waits while the application is replaced. It never raises for what the application does."""
        if not self.faults.rules:
            return await self._invoke(call)
        effects = faulty.hit(self.faults, call, self.routes, self.variables)
        if not effects:
            return await self._invoke(call)
        return await faulty.deliver(self._invoke, call, effects, self.faults)

    async def _invoke(self, call: Call) -> Outcome:
        limit = self._told.limit(call.function) if call.timeout is None else call.timeout
        running = self._current
        if running is None or self._state != "ready" or not running.has_room or self._waiting:
            comes_again = call.patience is not None and self._state != "ready"
            running = await self._turn(call, limit)
            if running is None:
                return Outcome("broken") if comes_again else self._unanswered(call)
        call.is_taken = True
        return await running.call(call, limit, self._told.function(call.function))

    async def _turn(self, call: Call, limit: float) -> Running | None:
        """Wait for a process with room. A start is not counted as time of a call that somebody waits for."""
        start = call.patience or (limit if call.origin == "aws" else max(limit, _START))
        until = perf_counter() + (limit if self._state == "ready" else start)
        while not self._is_stopping:
            running = await self._waiting.turn(call, max(0.0, until - perf_counter()))
            if running is None:
                return None
            running.reserved -= 1
            if running is self._current and not running.ended.done():
                return running
        return None

    def _unanswered(self, call: Call) -> Outcome:
        """Answer a call that has waited long enough."""
        became, failure = "broken", None
        if self._is_stopping:
            error = {"errorType": "Stopping", "errorMessage": "the gateway stops"}
        elif self._state == "ready":
            became = "failed"
            error = {"errorType": "TooManyRequestsException", "errorMessage": f"{self._threads} calls are under way"}
        elif self._error is None:
            error = {"errorType": "Starting", "errorMessage": "the application starts"}
        else:
            error, failure = import_error(self._error), self._error
        return self.teller.unsent(call, became, error, failure)

    def _report(self, pending: Pending, became: str, seen: list[Entry], failure: Failure | None, answer: Any) -> None:
        self.teller.ends(pending, became, seen, failure, answer)
        if self._current is not None and self._state == "ready":
            self._waiting.serve(self._current)

    async def run_task(self, name: str, environment: Mapping[str, str] | None = None, **options: Any) -> int:
        """Run a task of ECS as a process of its own, and return its exit status. options: those of `Tasks.run`.

        name: of the `on_task` route. environment: what whoever starts it sets, beside the variables of the application.
        """
        held = {**self._variables(), **self._told.variables}
        given = (self._told.application, held, self.routes, environment or {})
        return await self._tasks.run(name, *given, **options)
