"""Tests that the rest of a flood is dropped when its sender has gone."""

from collections.abc import Callable

from tests.running import Server

LINES = "more\n" * 500


def test_reset_ends_a_flood_after_its_allowed_lines(start: Callable[..., Server]) -> None:
    server = start("--rate-limit", "3/1")
    other, spam = server.plain("other"), server.plain("spam")
    for number in range(1, 3):
        spam.say(f"line {number}")
    spam.send(LINES)
    other.expect("spam: line 2")
    spam.expect("you are fast")
    spam.reset()
    other.expect("spam left")
    other.say("quiet")
    assert other.hears_nothing(1.2)
