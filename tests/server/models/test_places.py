"""Silent connections at a full room, from another address or from the audience's own."""

import socket
import time
from collections.abc import Callable

from tests.pace import is_within
from tests.running import Server, wait_until
from tests.server.models.test_one_address import connect, hear_all

STRANGER, ATTACKER = "127.0.0.3", "127.0.0.2"

Start = Callable[..., Server]


def close_all(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def test_silent_connections_keep_no_newcomer_out(start: Start) -> None:
    """They fill all places, and each one that is ended comes back."""
    server = start("--max-clients", "20", "--rate-limit", "off")
    witness = server.rich("witness")
    silent = [connect(server) for _ in range(50)]
    wait_until(lambda: witness.status()["connections"] == 20, "they have all places")
    began = time.monotonic()
    newcomers = []
    for number in range(4):
        for address in (STRANGER, "127.0.0.1"):
            newcomers.append(connect(server, address=address))
            newcomers[-1].sendall(b"ada%d-%s\nhello\n" % (number, address[-1].encode()))
            witness.expect("said", nick=f"ada{number}-{address[-1]}")
        silent += [connect(server) for _ in range(5)]
    assert is_within(time.monotonic() - began, 4.0)
    witness.say("still here")
    assert witness.status()["people"] == 9
    assert all(b"goodbye" not in said for said in hear_all(newcomers, b"still here"))
    assert "connection ended without a nickname from 127.0.0.2" in server.log()
    close_all(silent + newcomers)


def test_evicted_connection_hears_why(start: Start) -> None:
    server = start("--max-clients", "1")
    silent = connect(server)
    hear_all([silent], b"type a nickname")
    server.plain("ada")
    assert hear_all([silent], b"goodbye: the room is full, and you gave no nickname")


def test_loopback_comes_into_a_room_full_of_members(start: Start) -> None:
    server = start("--max-clients", "2")
    members = [connect(server, b"member%d\n" % number) for number in range(2)]
    hear_all(members, b"Connected")
    refused = connect(server, b"eve\n", address=STRANGER)
    assert hear_all([refused], b"the room is full: it takes 2 connections")
    ada, _ = server.plain("ada"), server.plain("bob")
    ada.say("hello")
    hear_all(members, b"ada: hello")
    close_all([*members, refused])


def test_audience_notices_no_silent_connections_beside_it(start: Start, model: str) -> None:
    """The attacker is behind the audience's own address, holds places before it comes, and renews them. Processes and
    threads take long to start, so only the event model has an audience of 500."""
    people, attackers = (500, 120) if model == "event" else (100, 50)
    server = start("--max-clients", f"{people + attackers // 5}", "--history", "0")
    witness = server.rich("witness")
    silent = [connect(server) for _ in range(attackers)]
    audience: list[socket.socket] = []
    for number in range(people):
        audience.append(connect(server, b"member%d\nhello\n" % number))
        if number % 10 == 0:
            silent.append(connect(server))
    for _ in range(people):
        witness.expect("said", text="hello")
    witness.say("all are here")
    for said in hear_all(audience, b"all are here"):
        assert not any(words in said for words in (b"goodbye", b"try again", b"not said"))
    close_all(silent + audience)


def test_place_within_the_limit_of_an_address_goes_to_a_nickname(start: Start) -> None:
    server = start("--max-per-ip", "5")
    silent = [connect(server) for _ in range(5)]
    hear_all(silent, b"type a nickname")
    ada = connect(server, b"ada\n")
    hear_all([ada], b"Connected")
    close_all([*silent, ada])
