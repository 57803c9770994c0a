import select
import threading
import time

import pytest

from protocol.messages import Model
from server.control import SHUTDOWN_TIMEOUT, ServerControl, StopEvent
from tests.peers import PATIENCE


class TestStop:
    def test_is_true_and_readable_once_asked_until_cleared(self) -> None:
        stop = StopEvent()
        assert not stop
        assert not readable(stop)
        stop.ask()
        stop.ask()
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
        threading.Timer(0.05, stop.ask).start()
        stop.wait(PATIENCE)
        assert stop
        assert time.monotonic() - began < PATIENCE

    def test_wakes_whoever_waits_on_it_all_at_once(self) -> None:
        stop = StopEvent()
        woken: list[bool] = []
        threads = [threading.Thread(target=lambda: woken.append(readable(stop, PATIENCE))) for _ in range(5)]
        for thread in threads:
            thread.start()
        stop.ask()
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

    def test_who_is_to_end_changes_no_model(self) -> None:
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
