"""Tests with a wall clock that is set back or forward, as by NTP or on a machine that wakes up. No duration depends on
it, under each model and across a switch of models."""

import time
from collections.abc import Callable

from tests.running import RichPeer, Server, wait_until

HOUR = 3600.0
OTHER = {"process": "event", "thread": "process", "event": "thread"}


def set_clock(boss: RichPeer, seconds: float) -> None:
    """Set the server's wall clock to `seconds` from the true time. Displayed times follow it."""
    boss.say(f"clock {seconds}")
    boss.expect("said")
    boss.say("what time is it?")
    shown: float = boss.expect("said")["at"]
    assert abs(shown - seconds - time.time()) < 60


def is_let_in(server: Server, nick: str) -> bool:
    """Whether a new connection with this nickname joins. Otherwise it must be banned."""
    peer = server.rich_stranger()
    peer.command("hello", nick=nick)
    while (event := peer.event())["type"] not in ("welcome", "goodbye"):
        pass
    peer.close()
    assert event.get("code", "banned") == "banned"
    return bool(event["type"] == "welcome")


def speaks_within(peer: RichPeer, seconds: float) -> bool:
    """Send lines until one is accepted. Returns False if slow mode asks the member to wait longer than `seconds`."""
    while True:
        peer.say("hello")
        while (event := peer.event())["type"] not in ("said", "refused") or event.get("nick", "ada") != "ada":
            pass
        if event["type"] == "said":
            return True
        assert event["code"] == "slow-mode"
        if event["wait"] > seconds:
            return False
        time.sleep(event["wait"])


def test_clock_that_is_set_changes_no_duration(start: Callable[..., Server], model: str) -> None:
    server = start(sabotage="clock_is_set")
    boss, ada, bob = server.operator(), server.rich("ada"), server.rich("bob")
    ada.sees("bob")
    boss.command("slow", seconds=0.5)
    ada.expect("rules")
    assert speaks_within(ada, 0.5)
    boss.command("ban", nick="bob", minutes=0.01)
    bob.expect("goodbye")
    set_clock(boss, -HOUR)
    boss.switch(OTHER[model])
    assert speaks_within(ada, 0.5)
    wait_until(lambda: is_let_in(server, "bob"), "the ban has ended")
    server.rich("carl")
    boss.command("ban", nick="carl", minutes=60)
    boss.expect("notice", text="boss banned carl for 60 minutes")
    set_clock(boss, 2 * HOUR)
    assert not is_let_in(server, "carl")
    boss.command("bans")
    assert "for another 60 minutes" in str(boss.sync())
