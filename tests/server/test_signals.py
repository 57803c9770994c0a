"""Signals that this test process gets. Their effect on a running server is tested in test_cli."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from server import signals
from server.control import ServerControl
from server.signals import EXIT_INTERRUPTED, FAREWELL, Signals

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
Install = Callable[[], Signals]


@pytest.fixture
def control() -> ServerControl:
    return ServerControl()


@pytest.fixture
def called() -> list[str]:
    """The functions that the handlers called."""
    return []


@pytest.fixture
def install(control: ServerControl, called: list[str]) -> Iterator[Install]:
    before = {number: signal.getsignal(number) for number in HANDLED}
    yield lambda: Signals(control, reload=lambda: called.append("reload"), reap=lambda: called.append("reap"))
    for number, handler in before.items():
        signal.signal(number, handler)


def test_nothing_is_asked_for_until_a_signal_comes(install: Install, control: ServerControl, called: list[str]) -> None:
    assert not install().interrupted
    assert (control.closing, called) == ("", [])


def test_sigterm_closes_the_room(install: Install, control: ServerControl) -> None:
    told = install()
    signal.raise_signal(signal.SIGTERM)
    assert (control.closing, told.interrupted, bool(control.stop)) == (FAREWELL, False, True)


def test_the_first_ctrl_c_closes_the_room_and_the_second_ends_the_process(
    install: Install, control: ServerControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    told = install()
    signal.raise_signal(signal.SIGINT)
    assert (control.closing, told.interrupted, ended) == (FAREWELL, True, [])
    signal.raise_signal(signal.SIGINT)
    assert ended == [EXIT_INTERRUPTED]


def test_sighup_reads_the_settings_again(install: Install, control: ServerControl, called: list[str]) -> None:
    install()
    signal.raise_signal(signal.SIGHUP)
    assert (control.closing, called) == ("", ["reload"])


def test_sighups_while_the_settings_are_read_are_one_more_reading_and_none_in_the_other(control: ServerControl) -> None:
    before = {number: signal.getsignal(number) for number in HANDLED}
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
    for number, handler in before.items():
        signal.signal(number, handler)
    assert deepest == [1, 1, 1]


def test_sighup_of_a_terminal_that_is_gone_closes_the_room(
    install: Install, control: ServerControl, called: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "on_terminal", lambda: True)
    install()
    signal.raise_signal(signal.SIGHUP)
    assert (control.closing, called) == ("", ["reload"])
    monkeypatch.setattr(signals, "on_terminal", lambda: False)
    signal.raise_signal(signal.SIGHUP)
    assert (control.closing, called) == (FAREWELL, ["reload"])


def test_a_child_that_has_ended_is_reaped(install: Install, called: list[str]) -> None:
    install()
    signal.raise_signal(signal.SIGCHLD)
    assert called == ["reap"]
