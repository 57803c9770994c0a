"""Tests of failures that must harm only one connection: a killed worker, an exception, a lost peer, a signal."""

import signal
import time

import pytest

from tests.pace import is_within
from tests.running import Server, wait_until
from tests.server.slow import NEEDS_PROC, fill, slow_peer


@pytest.mark.parametrize("sabotage", ["session_fails", "room_fails"])
def test_exception_of_one_connection_ends_it_and_is_logged(start, sabotage: str) -> None:
    server: Server = start(sabotage=sabotage, fails=True)
    bob, cleo = server.rich("bob"), server.plain("cleo")
    rich, plain = server.rich("rich"), server.plain("plain")
    bob.sees("rich", "plain", "cleo")
    rich.say("this is poison", id="1")
    rich.lines_until_closed()
    bob.expect("presence", left=["rich"])
    plain.say("and poison again")
    plain.lines_until_closed()
    bob.expect("presence", left=["plain"])
    cleo.expect("*** plain left")
    cleo.say("we go on")
    bob.expect("said", text="we go on")
    assert server.rich("rich").welcome["you"] == "rich"
    log = server.log()
    assert log.count("Traceback (most recent call last)") == 2
    assert log.count("RuntimeError: a bug in the " + sabotage.removesuffix("_fails")) == 2
    assert "in poisoned" in log


def test_ten_exceptions_at_once_end_ten_connections(start) -> None:
    server: Server = start(sabotage="session_fails", fails=True)
    watcher = server.rich("watcher")
    peers = [server.rich(f"p{number}") for number in range(20)]
    watcher.sees(*(f"p{number}" for number in range(20)))
    for peer in peers[:10]:
        peer.say("poison")
    watcher.sees_no(*(f"p{number}" for number in range(10)))
    watcher.say("hello")
    for peer in peers[10:]:
        peer.expect("said", text="hello")


def test_peers_that_reset_are_gone_and_harm_no_other(room: Server) -> None:
    bob = room.rich("bob")
    for round in range(5):
        peers = [room.plain(f"r{round}x{number}") for number in range(10)]
        for number, peer in enumerate(peers):
            peer.say("a last word")
            if number % 2:
                peer.reset()
            else:
                peer.close()
    wait_until(lambda: bob.people() == ["bob"], "all have left")
    bob.say("still here", id="1")
    bob.expect("said", id="1")


def test_sigterm_delivers_queued_lines_and_a_goodbye(start) -> None:
    server: Server = start()
    plain, rich, silent = server.plain("ada"), server.rich("bob"), server.connect()
    talker = server.rich("talker")
    talker.sees("ada", "bob")
    for number in range(500):
        talker.say(f"{number}")
    talker.sync()
    assert server.terminate() == 0
    lines = plain.lines_until_closed()
    assert [line for line in lines if line.startswith("talker: ")] == [f"talker: {number}" for number in range(500)]
    assert lines[-1].startswith("*** goodbye: ")
    assert rich.expect("goodbye")["code"] == "closing"
    silent.lines_until_closed()
    wait_until(server.ended, "no worker is left")


@NEEDS_PROC
def test_sigterm_does_not_wait_for_a_client_that_does_not_read(start) -> None:
    server: Server = start()
    slow, talker = slow_peer(server), server.rich("talker")
    talker.sees("slow")
    fill(server, slow, talker)
    began = time.monotonic()
    assert server.terminate() == 0
    assert is_within(time.monotonic() - began, 4)
    assert talker.expect("goodbye")["code"] == "closing"


def test_ctrl_c_ends_with_130(start) -> None:
    server: Server = start()
    ada = server.plain("ada")
    assert server.terminate(signal.SIGINT) == 130
    assert ada.lines_until_closed()[-1].startswith("*** goodbye: ")


def test_ctrl_c_in_a_terminal_is_handled_by_the_master_only(start) -> None:
    server: Server = start()
    ada, bob = server.plain("ada"), server.rich("bob")
    for process in server.children():
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGHUP)
    bob.say("still here", id="1")
    bob.expect("said", id="1")
    ada.expect("bob: still here")
