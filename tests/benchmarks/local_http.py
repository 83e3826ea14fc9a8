"""Requests a second through a local run beside Starlette alone: `python -m tests.benchmarks.local_http`.

A trivial route of each is asked over 16 connections that stay open: of `junction local` with both its processes, the
console's history and the watch in place, and of uvicorn with Starlette. Rounds take turns, so that the noise of the
machine falls on both.
"""

from __future__ import annotations

import re
import select
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter

from tests.benchmarks.report import show_budgets, show_section
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.servers.gateway import LocalGateway
from tests.servers.process import Server

ROUNDS, REQUESTS, CONNECTIONS = 5, 3_000, 16
A_SECOND, OF_STARLETTE = 1_500.0, 0.5
_SAMPLE = (
    b"GET /hello HTTP/1.1\r\nHost: localhost\r\nUser-Agent: benchmark\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n"
)
_END = b'{"hello":"world"}'


class Starlette(Server):
    """uvicorn with the application of `tests.benchmarks.apps.hello_starlette`."""

    name = "starlette"
    ready_line = re.compile(r"running on (?P<url>http://127\.0\.0\.1:\d+)")

    def command(self, folder: Path) -> Sequence[str | Path]:
        """The command; uvicorn prints its port."""
        fixed = ("--port", "0", "--no-access-log", "--no-server-header")
        return [sys.executable, "-m", "uvicorn", "tests.benchmarks.apps.hello_starlette:app", *fixed]

    def answers(self) -> bool:
        """Whether it answers."""
        return rate(self.url, 1) > 0


def rate(url: str, requests: int) -> float:
    """Ask so many times, each connection again as soon as it is answered; the requests a second."""
    host, _, port = url.removeprefix("http://").partition(":")
    with ExitStack() as stack:
        held: dict[int, socket.socket] = {}
        poll = stack.enter_context(select.epoll())
        for _ in range(min(CONNECTIONS, requests)):
            one = stack.enter_context(socket.create_connection((host, int(port)), timeout=10))
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            poll.register(one, select.EPOLLIN)
            held[one.fileno()] = one
        began, sent, done = perf_counter(), len(held), 0
        for one in held.values():
            one.sendall(_SAMPLE)
        while done < requests:
            for number, _ in poll.poll(10):
                answer = held[number].recv(65536)
                if not answer.endswith(_END):  # the head alone has come
                    if not answer.startswith(b"HTTP/1.1 200"):
                        raise RuntimeError(f"{url} answered {answer[:200]!r}")
                    continue
                done += 1
                if sent < requests:
                    held[number].sendall(_SAMPLE)
                    sent += 1
        return requests / (perf_counter() - began)


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """Run both; their URLs."""
    with LocalGateway("tests.benchmarks.apps.hello:resolver", "--aws", "none") as gateway, Starlette() as starlette:
        yield {"junction local": gateway.url, "starlette": starlette.url}


def measured(rounds: int = ROUNDS) -> tuple[Section, list[Budget]]:
    """Figures and budgets of some rounds."""
    with servers() as urls:
        samples: dict[str, list[float]] = {name: [] for name in urls}
        for url in urls.values():
            rate(url, REQUESTS // 3)
        for _ in range(rounds):
            for name, url in urls.items():
                samples[name].append(rate(url, REQUESTS))
    budgets = [
        Budget("local: requests a second", Spread.of(samples["junction local"]), A_SECOND, at_most=False),
        Budget(
            "local: requests a second, of Starlette's alone",
            Spread.of(ratios(samples, "junction local", "starlette")),
            OF_STARLETTE,
            at_most=False,
        ),
    ]
    figures = [
        Figure(name, f"a request, {CONNECTIONS} at a time", Spread.of([1 / one for one in found]), "s")
        for name, found in samples.items()
    ]
    return Section("local_http", "Requests through a local run", figures, budgets), budgets


def main() -> None:
    """Prints figures and budgets."""
    section, budgets = measured()
    show_section(section)
    show_budgets(budgets)


if __name__ == "__main__":
    main()
