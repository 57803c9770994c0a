"""Tests with a server that is suspended for a while (Ctrl-Z and fg, or a laptop that slept). No member pays for it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.running import Server, wait_until
from tests.server.slow import NEEDS_PROC, fill, lines_heard, slow_peer


@contextmanager
def stopped(server: Server, seconds: float) -> Iterator[None]:
    """Suspend all processes of the server while the block runs, for at least these seconds."""
    tree = [server.process, *server.children()]
    for process in tree:
        process.suspend()
    until = time.monotonic() + seconds
    yield
    time.sleep(max(0.0, until - time.monotonic()))  # The test needs this pause: longer than the server waits for them.
    for process in reversed(tree):
        process.resume()


def test_a_nickname_that_was_typed_meanwhile_is_not_too_late(start: Callable[..., Server]) -> None:
    server = start("--join-timeout", "1")
    bob, ada = server.rich("bob"), server.connect()
    ada.send("a")  # A connection that is silent is served, and greeted, only after half of the time.
    wait_until(lambda: bob.status()["connections"] == 2, "ada is connected")
    with stopped(server, 1.5):
        ada.send("da\n")
    while ada.line() != "Connected to chat server":
        pass  # The greeting of a connection that was silent for half a second.
    bob.sees("ada")
    time.sleep(1.2)  # Longer than the time to send a nickname.
    bob.say("are you there?")
    while ada.line() != "bob: are you there?":
        pass


@NEEDS_PROC
def test_slow_reader_that_read_during_a_pause_stays(start: Callable[..., Server]) -> None:
    server = start("--rate-limit", "off", sabotage="impatient")
    slow, talker = slow_peer(server), server.rich("talker")
    talker.sees("slow")
    lines = fill(server, slow, talker)
    with stopped(server, 1.5):
        while not slow.hears_nothing(0.2):
            pass
    while f"talker: {lines[-1]}" not in slow.heard[-1:]:  # The kernel may have kept all of them.
        slow.line()
    assert [line.removeprefix("talker: ") for line in slow.heard if line.startswith("talker: ")] == lines
    talker.say("are you there?")
    assert lines_heard(slow, last="are you there?") == ["are you there?"]
