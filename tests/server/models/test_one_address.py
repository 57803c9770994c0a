"""Tests with an audience behind one address and an attacker behind another, 127.0.0.2, which Linux has."""

import hmac
import selectors
import socket
import time
from collections.abc import Callable

import pytest

from tests.pace import is_within
from tests.peers import OPERATOR_KEY, PATIENCE, RichPeer
from tests.running import Server

NETWORK = "127.0.0.2"
AUDIENCE = 500

Start = Callable[..., Server]


def connect(server: Server, data: bytes = b"", address: str = NETWORK) -> socket.socket:
    try:
        sock = socket.create_connection(server.address, PATIENCE, source_address=(address, 0))
    except OSError:
        pytest.skip(f"this machine has no address {address}")
    sock.sendall(data)
    return sock


def hear_all(sockets: list[socket.socket], words: bytes, patience: float = PATIENCE) -> list[bytes]:
    """Read from all of them until each has got these words."""
    heard, waiting, deadline = dict.fromkeys(sockets, b""), set(sockets), time.monotonic() + patience
    with selectors.DefaultSelector() as selector:
        for sock in sockets:
            selector.register(sock, selectors.EVENT_READ)
        while waiting:
            assert time.monotonic() < deadline, [heard[sock] for sock in waiting][:3]
            for key, _ in selector.select(0.1):
                assert isinstance(key.fileobj, socket.socket)
                data = key.fileobj.recv(1 << 16)
                assert data, heard[key.fileobj]
                heard[key.fileobj] += data
                if words in heard[key.fileobj]:
                    waiting.discard(key.fileobj)
    return list(heard.values())


def test_an_audience_of_500_behind_one_address_notices_no_limit(start: Start) -> None:
    """All join at once and send a line, all lose their connection, and all join and send a line again."""
    server = start("--rate-limit", "10/2", "--history", "0")
    witness = server.rich("witness")
    for visit in range(2):
        sockets = [connect(server, b"member%d\nhello %d\n" % (number, visit)) for number in range(AUDIENCE)]
        for _ in range(AUDIENCE):
            witness.expect("said", text=f"hello {visit}")
        witness.say(f"all of {visit}")
        for said in hear_all(sockets, b"all of %d\n" % visit):
            assert not any(words in said for words in (b"goodbye", b"try again", b"not said"))
        for sock in sockets:
            sock.close()
        assert "flood" not in server.log(), visit


def test_an_address_that_reconnects_says_no_more_than_its_limit(start: Start) -> None:
    server = start("--rate-limit", "2/0.1", "--history", "0")
    listener = server.plain("listener")
    began = time.monotonic()
    for number in range(300):
        sock = connect(server, b"eve%d\nspam\n" % number)
        sock.shutdown(socket.SHUT_WR)
        assert b"Connected" in sock.recv(1 << 16)
        sock.close()
    server.plain("witness").say("that was it")
    spam = 0
    while (line := listener.line()) != "witness: that was it":
        spam += line.endswith(": spam")
    assert spam <= 200 + 5 * (time.monotonic() - began)
    assert "not said from 127.0.0.2" in server.log()


def proof(peer: RichPeer, nonce: str, key: str = OPERATOR_KEY) -> None:
    peer.command("operator", proof=hmac.new(key.encode(), nonce.encode(), "sha256").hexdigest())


def test_full_or_locked_room_admits_a_holder_of_the_key(start: Start) -> None:
    """The hello of the client claims the key, and the client is challenged before it joins."""
    server = start("--max-clients", "2")
    boss, _ = server.operator(), server.plain("ada")
    boss.command("lock")
    boss.expect("rules")
    for nick in ("host", "other"):
        host = server.rich_stranger()
        host.command("hello", nick=nick, operator=True)
        challenge = host.expect("challenge")
        assert challenge["code"] == "full"
        proof(host, challenge["nonce"])
        assert host.expect("welcome")["operator"]
        host.close()
        boss.sees_no(nick)
    liar = server.rich_stranger()
    liar.command("hello", nick="liar", operator=True)
    proof(liar, liar.expect("challenge")["nonce"], "a guess")
    assert liar.expect("refused")["code"] == "wrong-proof"
    liar.expect("goodbye")


def test_proxy_header_does_not_change_the_address_that_is_banned(start: Start) -> None:
    """Any client could send a PROXY header, to get others banned or to evade a ban."""
    server = start()
    boss = server.operator()
    liar = connect(server, b"PROXY TCP4 198.51.100.9 192.0.2.1 5 6\r\nliar\n")
    boss.sees("liar")
    boss.command("ban", nick="liar", address=True)
    assert b"banned you" in hear_all([liar], b"banned you")[0]
    boss.command("bans")
    assert any(f"all from {NETWORK} for" in event.get("text", "") for event in boss.sync())
    again = connect(server, b"PROXY TCP4 203.0.113.1 192.0.2.1 5 6\r\nanother\n")
    assert hear_all([again], b"your address is banned")
    for sock in (liar, again):
        sock.close()


@pytest.mark.parametrize("line", ["/who", "/nick eve{}x{}", "/status", "/where", "/nonsense"])
def test_commands_of_50_connections_delay_no_other_address(start: Start, line: str) -> None:
    server = start("--rate-limit", "10/2")
    ada, bob = server.rich("ada"), server.rich("bob")
    flood = []
    for number in range(50):
        commands = "".join(f"{line.format(number, count)}\n" for count in range(300))
        flood.append(connect(server, f"eve{number}\n{commands}".encode()))
    began = time.monotonic()
    for count in range(5):
        ada.say(f"line {count}")
        bob.expect("said", text=f"line {count}")
    assert is_within(time.monotonic() - began, 1.0)
    server.plain("newcomer")
    assert is_within(time.monotonic() - began, 2.0)
    for sock in flood:
        sock.close()
