"""The listening sockets, with a resolver of the test's own: which addresses a name has is the machine's business."""

import errno
import socket
import sys
from collections.abc import Callable, Iterator

import pytest

from server import sockets
from server.settings import Address, SettingRefused
from server.sockets import CannotListen, covers, open_listeners, prepare

Resolve = Callable[..., None]
Open = Callable[..., list[Address]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """`names(localhost=["127.0.0.1", "::1"])`: these names have these addresses."""
    getaddrinfo = socket.getaddrinfo

    def resolve(**hosts: list[str]) -> None:
        def found(host: str | None, port: int, **hints: int) -> list[tuple[object, ...]]:
            return [entry for one in hosts.get(host or "any", [host]) for entry in getaddrinfo(one, port, **hints)]

        monkeypatch.setattr(sockets.socket, "getaddrinfo", found)

    return resolve


@pytest.fixture
def opened() -> Iterator[Open]:
    """`opened(*addresses)`: where the server listens then."""
    sockets: list[socket.socket] = []

    def listen(*addresses: Address) -> list[Address]:
        new = open_listeners(addresses)
        sockets.extend(new)
        return [Address(*sock.getsockname()[:2]) for sock in new]

    yield listen
    for sock in sockets:
        sock.close()


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Addresses that this machine lacks, as ::1 where IPv6 is off."""
    hosts: set[str] = set()
    listen = sockets.listen

    def refuses(host: str, port: int) -> socket.socket:
        if host in hosts:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return listen(host, port)

    monkeypatch.setattr(sockets, "listen", refuses)
    return hosts


def port_free_on(*hosts: str) -> int:
    while True:
        with socket.create_server((hosts[0], 0)) as first:
            port: int = first.getsockname()[1]
        try:
            for host in hosts[1:]:
                socket.create_server((host, port)).close()
        except OSError:
            continue
        return port


def test_name_with_two_addresses_is_listened_on_at_one_port(names: Resolve, opened: Open) -> None:
    names(localhost=["127.0.0.2", "127.0.0.1"])
    first, second = opened(Address("localhost", 0))
    assert (first.host, second.host) == ("127.0.0.2", "127.0.0.1")
    assert first.port == second.port > 0


def test_several_addresses_keep_their_order(opened: Open) -> None:
    port = port_free_on("127.0.0.1")
    hosts = [one.host for one in opened(Address("127.0.0.2", 0), Address("127.0.0.1", port))]
    assert hosts == ["127.0.0.2", "127.0.0.1"]


@pytest.mark.parametrize("twice", [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "localhost"), ("localhost", "127.0.0.1")])
def test_address_given_twice_is_opened_once(names: Resolve, opened: Open, twice: tuple[str, str]) -> None:
    names(localhost=["127.0.0.1", "127.0.0.1"])
    port = port_free_on("127.0.0.1")
    assert opened(*(Address(host, port) for host in twice)) == [Address("127.0.0.1", port)]


def test_address_that_every_interface_covers_is_not_opened(opened: Open) -> None:
    port = port_free_on("0.0.0.0", "127.0.0.1")
    assert opened(Address("127.0.0.1", port), Address("0.0.0.0", port)) == [Address("0.0.0.0", port)]


@pytest.mark.parametrize(
    ("host", "other", "covered"),
    [
        ("::", "0.0.0.0", True), ("::", "127.0.0.1", True), ("::", "::1", True), ("0.0.0.0", "127.0.0.1", True),
        ("0.0.0.0", "::1", False), ("0.0.0.0", "::", False), ("127.0.0.1", "127.0.0.2", False), ("::1", "::1", True),
    ],
)  # fmt: skip
def test_covers_follows_families(host: str, other: str, covered: bool) -> None:
    assert covers(Address(host, 2000), Address(other, 2000)) == covered
    assert not covers(Address(host, 2000), Address(other, 2001))


def test_address_that_the_machine_lacks_is_left_out(names: Resolve, opened: Open, missing: set[str]) -> None:
    names(localhost=["::1", "127.0.0.1"])
    missing.add("::1")
    assert [one.host for one in opened(Address("localhost", 0))] == ["127.0.0.1"]


def test_no_host_takes_ipv4_where_ipv6_is_off(names: Resolve, opened: Open, missing: set[str]) -> None:
    names(any=["0.0.0.0", "::"])
    missing.add("::")
    assert [one.host for one in opened(Address("", 0))] == ["0.0.0.0"]


def test_name_without_an_address_of_this_machine_is_refused(names: Resolve, opened: Open, missing: set[str]) -> None:
    names(room=["127.0.0.3", "127.0.0.4"])
    missing |= {"127.0.0.3", "127.0.0.4"}
    with pytest.raises(SettingRefused, match=r"^the server cannot listen on room:0: Cannot assign requested address$"):
        opened(Address("room", 0))


def test_address_in_use_is_refused_and_all_others_are_closed(names: Resolve, opened: Open) -> None:
    names(localhost=["127.0.0.2", "127.0.0.1"])
    port = port_free_on("127.0.0.2", "127.0.0.1")
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(CannotListen, match=rf"^127.0.0.1:{port} is in use already; --bind HOST:PORT chooses another$"),
    ):
        opened(Address("localhost", port))
    socket.create_server(("127.0.0.2", port)).close()


def test_free_port_is_chosen_anew_until_it_is_free_on_all(
    names: Resolve, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(localhost=["127.0.0.2", "127.0.0.1"])
    listen, failures = sockets.listen, [True, True]

    def unlucky(host: str, port: int) -> socket.socket:
        if port and failures:
            failures.pop()
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return listen(host, port)

    monkeypatch.setattr(sockets, "listen", unlucky)
    first, second = opened(Address("localhost", 0))
    assert first.port == second.port


def test_prepare_on_macos_sets_the_options_by_their_names_there(monkeypatch: pytest.MonkeyPatch) -> None:
    keepalive = 0x10
    for name in ("TCP_KEEPIDLE", "TCP_USER_TIMEOUT"):
        monkeypatch.delattr(socket, name, raising=False)
    monkeypatch.setattr(socket, "TCP_KEEPALIVE", keepalive, raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    recorder = SocketRecorder()
    prepare(recorder)  # type: ignore[arg-type]  # It has what `prepare` uses.
    assert recorder.asked[keepalive] == sockets.KEEPALIVE[0]
    assert recorder.asked[sockets.MACOS_TCP_RXT_CONNDROPTIME] == sockets.UNACKNOWLEDGED_TIMEOUT_S


class SocketRecorder:
    """A TCP socket that keeps the options of TCP it is given."""

    family = socket.AF_INET

    def __init__(self) -> None:
        self.asked: dict[int, int] = {}

    def setblocking(self, flag: bool) -> None:
        pass

    def setsockopt(self, level: int, option: int, value: int) -> None:
        if level == socket.IPPROTO_TCP:
            self.asked[option] = value
