"""Threads that run calls: the main one first, as many as are needed, and no more than allowed."""

from __future__ import annotations

import threading

from router.local.process.workers import Workers


def test_main_thread_comes_first_and_all_work_is_done_before_the_end() -> None:
    workers = Workers(3)
    done: list[tuple[int, bool]] = []
    together = threading.Barrier(3)

    def work(number: int) -> None:
        if number < 3:
            together.wait(10)
        done.append((number, threading.current_thread() is threading.main_thread()))

    for number in range(10):
        workers.submit(lambda number=number: work(number))  # type: ignore[misc]
    workers.stop()
    workers.run()
    assert sorted(number for number, _ in done) == list(range(10))
    assert (0, True) in done


def test_no_more_threads_run_than_allowed() -> None:
    workers = Workers(2)
    lock, now, most = threading.Lock(), 0, 0
    pause = threading.Event()

    def work() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        pause.wait(0.01)
        with lock:
            now -= 1

    for _ in range(12):
        workers.submit(work)
    workers.stop()
    workers.run()
    assert most == 2


def test_idle_threads_take_further_work() -> None:
    workers = Workers(8)
    names: set[str] = set()

    def work(last: bool) -> None:
        names.add(threading.current_thread().name)
        if last:
            workers.stop()

    def feed() -> None:
        for number in range(20):
            done = threading.Event()

            def one(number: int = number, done: threading.Event = done) -> None:
                work(number == 19)
                done.set()

            workers.submit(one)
            done.wait(10)

    feeder = threading.Thread(target=feed)
    feeder.start()
    workers.run()
    feeder.join()
    assert len(names) <= 2
