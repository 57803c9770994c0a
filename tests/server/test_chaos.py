import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from server.chaos import Strikes
from tests.running import PATIENCE, wait_until


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(PATIENCE)
        yield door


@pytest.fixture
def strikes(door: socket.socket) -> Iterator[Strikes]:
    strikes = Strikes()
    strikes.port = door.getsockname()[1]
    yield strikes
    strikes.end()


def test_a_killed_worker_ends_at_once(strikes: Strikes) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as worker:
        strikes.kill(worker.pid)
        assert worker.wait(PATIENCE) == -signal.SIGKILL


def test_a_worker_that_has_ended_by_itself_is_no_reason_to_fail(strikes: Strikes) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as worker:
        worker.wait(PATIENCE)
    strikes.kill(worker.pid)


def test_a_slow_reader_introduces_itself_and_reads_nothing(strikes: Strikes, door: socket.socket) -> None:
    strikes.invite("slow-reader")
    guest, _ = door.accept()
    with guest:
        guest.settimeout(PATIENCE)
        assert guest.recv(100).startswith(b"slow-reader-")
        guest.setblocking(False)
        with pytest.raises(BlockingIOError):
            send_much(guest)


def send_much(guest: socket.socket) -> None:
    sent = 0
    while sent < 2**26:
        sent += guest.send(b"x" * 65536)


def test_a_silent_guest_says_nothing(strikes: Strikes, door: socket.socket) -> None:
    strikes.invite("silent")
    guest, _ = door.accept()
    with guest:
        guest.settimeout(0.3)
        with pytest.raises(TimeoutError):
            guest.recv(1)


def test_guests_are_sent_away_at_the_end(strikes: Strikes, door: socket.socket) -> None:
    strikes.invite("silent")
    guest, _ = door.accept()
    with guest:
        guest.settimeout(PATIENCE)
        strikes.end()
        assert guest.recv(1) == b""


def test_guests_that_have_gone_are_forgotten(strikes: Strikes, door: socket.socket) -> None:
    for _ in range(2):
        strikes.invite("silent")
        guest, _ = door.accept()
        guest.close()
    strikes._guests[0].kill()
    wait_until(lambda: strikes._guests[0].poll() is not None, "the guest is gone")
    strikes.invite("silent")
    assert len(strikes._guests) == 2
