"""Requests to the model, and the signals that make them."""

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from protocol.messages import Model
from server.control import CLOSING_REASON, SHUTDOWN_TIMEOUT, ServerControl, Signals, StopEvent
from tests.peers import PATIENCE
from three_chat_rooms import EXIT_INTERRUPTED

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
Install = Callable[[], Signals]


class TestStop:
    def test_is_true_and_readable_once_asked_until_cleared(self) -> None:
        stop = StopEvent()
        assert not stop
        assert not readable(stop)
        stop.set()
        stop.set()
        assert stop
        assert readable(stop)
        stop.clear()
        stop.clear()
        assert not stop
        assert not readable(stop)

    def test_can_be_waited_for(self) -> None:
        stop = StopEvent()
        began = time.monotonic()
        stop.wait(0.05)
        assert time.monotonic() - began >= 0.05
        threading.Timer(0.05, stop.set).start()
        stop.wait(PATIENCE)
        assert stop
        assert time.monotonic() - began < PATIENCE

    def test_stop_event_wakes_all_waiting_threads(self) -> None:
        stop = StopEvent()
        woken: list[bool] = []
        threads = [threading.Thread(target=lambda: woken.append(readable(stop, PATIENCE))) for _ in range(5)]
        for thread in threads:
            thread.start()
        stop.set()
        for thread in threads:
            thread.join()
        assert woken == [True] * 5


def readable(stop: StopEvent, seconds: float = 0.0) -> bool:
    return bool(select.select([stop], [], [], seconds)[0])


class TestWishes:
    def test_there_is_one_model_asked_for_at_a_time(self) -> None:
        control = ServerControl()
        assert control.switch(Model.THREAD)
        assert not control.switch(Model.PROCESS)
        assert control.model is Model.THREAD
        assert control.stop

    def test_control_that_closes_refuses_a_switch(self) -> None:
        control = ServerControl()
        control.close("the room closes")
        assert not control.switch(Model.THREAD)
        assert control.stop

    def test_asking_twice_to_end_gives_no_more_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        control = ServerControl()
        for now in (100.0, 101.0):
            monkeypatch.setattr("server.control.monotonic", lambda now=now: now)
            control.close("the room closes")
        assert control.deadline == 100.0 + SHUTDOWN_TIMEOUT


@pytest.fixture
def control() -> ServerControl:
    return ServerControl()


@pytest.fixture
def called() -> list[str]:
    """The functions that the handlers called."""
    return []


@pytest.fixture
def handlers() -> Iterator[None]:
    """The handlers of signals are those of before at the end of the test."""
    before = {number: signal.getsignal(number) for number in HANDLED}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def install(handlers: None, control: ServerControl, called: list[str]) -> Install:
    return lambda: Signals(control, reload=lambda: called.append("reload"), reap=lambda: called.append("reap"))


def test_nothing_is_asked_for_until_a_signal_comes(install: Install, control: ServerControl, called: list[str]) -> None:
    assert not install().interrupted
    assert (control.closing, called) == ("", [])


def test_sigterm_closes_the_room(install: Install, control: ServerControl) -> None:
    told = install()
    signal.raise_signal(signal.SIGTERM)
    assert (control.closing, told.interrupted, bool(control.stop)) == (CLOSING_REASON, False, True)


def test_first_ctrl_c_closes_and_second_ends_the_process(
    install: Install, control: ServerControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    told = install()
    signal.raise_signal(signal.SIGINT)
    assert (control.closing, told.interrupted, ended) == (CLOSING_REASON, True, [])
    signal.raise_signal(signal.SIGINT)
    assert ended == [EXIT_INTERRUPTED]


def test_sighup_reads_the_settings_again(install: Install, control: ServerControl, called: list[str]) -> None:
    install()
    signal.raise_signal(signal.SIGHUP)
    assert (control.closing, called) == ("", ["reload"])


def test_sighups_during_a_reload_cause_one_more_reload(handlers: None, control: ServerControl) -> None:
    depth: list[int] = []
    deepest: list[int] = []

    def reload() -> None:
        depth.append(1)
        deepest.append(len(depth))
        if len(deepest) < 3:
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGHUP)
        depth.pop()

    Signals(control, reload=reload, reap=lambda: None)
    signal.raise_signal(signal.SIGHUP)
    assert deepest == [1, 1, 1]


def test_sighup_of_a_terminal_that_is_gone_closes_the_room(
    install: Install, control: ServerControl, called: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.control.on_terminal", lambda: True)
    install()
    signal.raise_signal(signal.SIGHUP)
    assert (control.closing, called) == ("", ["reload"])
    monkeypatch.setattr("server.control.on_terminal", lambda: False)
    signal.raise_signal(signal.SIGHUP)
    assert (control.closing, called) == (CLOSING_REASON, ["reload"])


def test_a_child_that_has_ended_is_reaped(install: Install, called: list[str]) -> None:
    install()
    signal.raise_signal(signal.SIGCHLD)
    assert called == ["reap"]
