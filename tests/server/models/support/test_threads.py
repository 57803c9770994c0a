"""Tests of threads that start while another thread waits for all of them to end."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from server.control import StopEvent
from server.models.support.threads import Threads
from tests.peers import PATIENCE

CONNECTION: Any = SimpleNamespace(number=1)


def test_joining_waits_for_a_thread_that_is_just_being_started(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Threads(StopEvent())
    being_started, go_on, worked = threading.Event(), threading.Event(), threading.Event()
    really_start = threading.Thread.start
    errors: list[BaseException] = []

    def start(thread: threading.Thread) -> None:
        if thread.name.startswith("chat-"):
            being_started.set()
            go_on.wait(PATIENCE)
        really_start(thread)

    def join() -> None:
        try:
            threads.join()
            assert worked.is_set()
        except BaseException as error:  # noqa: BLE001 (raised again below, in the thread of the test)
            errors.append(error)

    monkeypatch.setattr(threading.Thread, "start", start)
    starting = threading.Thread(target=lambda: threads.start(lambda connection, waiter: worked.set(), CONNECTION))
    joining = threading.Thread(target=join)
    starting.start()
    assert being_started.wait(PATIENCE)
    joining.start()
    joining.join(0.2)  # `join` must block, so the test can only see that it does not return.
    go_on.set()
    for thread in (starting, joining):
        thread.join(PATIENCE)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


def test_joining_waits_for_threads_that_threads_start() -> None:
    threads = Threads(StopEvent())
    go_on, done = threading.Event(), threading.Event()

    def first(connection: Any, waiter: Any) -> None:
        go_on.wait(PATIENCE)
        threads.start(lambda connection, waiter: done.set(), connection)

    threads.start(first, CONNECTION)
    threading.Timer(0.05, go_on.set).start()
    threads.join()
    assert done.is_set()


def test_start_without_a_free_thread_raises_oserror(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    threads = Threads(StopEvent())
    with pytest.raises(OSError, match="can't start new thread"):
        threads.start(lambda connection, waiter: None, CONNECTION)
    threads.join()
