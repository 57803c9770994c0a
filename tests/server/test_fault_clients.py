import socket
from collections.abc import Iterator

import pytest

from server.fault_clients import FaultClients
from tests.running import PATIENCE, wait_until


@pytest.fixture
def door(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """A listening socket; the fixture's parameter says where."""
    host = getattr(request, "param", "127.0.0.1")
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as door:
        door.settimeout(PATIENCE)
        yield door


@pytest.fixture
def strikes(door: socket.socket) -> Iterator[FaultClients]:
    strikes = FaultClients()
    strikes.address = door.getsockname()[:2]
    yield strikes
    strikes.end()


def test_a_slow_reader_introduces_itself_and_reads_nothing(strikes: FaultClients, door: socket.socket) -> None:
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


@pytest.mark.parametrize("door", ["127.0.0.1", "0.0.0.0", "::1", "::"], indirect=True)
def test_a_guest_comes_to_wherever_the_door_is(strikes: FaultClients, door: socket.socket) -> None:
    strikes.invite("slow-reader")
    guest, address = door.accept()
    with guest:
        assert address[0] in ("127.0.0.1", "::1")
        guest.settimeout(PATIENCE)
        assert guest.recv(100).startswith(b"slow-reader-")


def test_guest_without_connection_is_reported_in_the_log_only(
    strikes: FaultClients, door: socket.socket, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    door.close()
    strikes.invite("silent")
    wait_until(lambda: strikes.reap() or not strikes._guests, "the guest has given up")
    assert [record.getMessage() for record in caplog.records] == ["a guest has failed, with exit code 1"]
    assert capfd.readouterr() == ("", "")


def test_a_silent_guest_says_nothing(strikes: FaultClients, door: socket.socket) -> None:
    strikes.invite("silent")
    guest, _ = door.accept()
    with guest:
        guest.settimeout(0.3)
        with pytest.raises(TimeoutError):
            guest.recv(1)


def test_guests_are_sent_away_at_the_end(strikes: FaultClients, door: socket.socket) -> None:
    strikes.invite("silent")
    guest, _ = door.accept()
    with guest:
        guest.settimeout(PATIENCE)
        strikes.end()
        assert guest.recv(1) == b""


def test_a_silent_guest_that_is_let_go_goes(strikes: FaultClients, door: socket.socket) -> None:
    strikes.invite("silent")
    guest, _ = door.accept()
    guest.close()
    wait_until(lambda: strikes.reap() or not strikes._guests, "the guest is gone")


def test_reap_forgets_guests_that_have_ended(strikes: FaultClients, door: socket.socket) -> None:
    for _ in range(2):
        strikes.invite("slow-reader")
        door.accept()[0].close()
    [first, second] = strikes._guests
    first.kill()
    wait_until(lambda: strikes.reap() or first not in strikes._guests, "the guest is gone")
    assert strikes._guests == {second}
