"""Lines that slow mode delays are sent again in their order, when they are allowed or slow mode ends."""

from tests.tui.links import until
from tui.commands.parse import ChatLine
from tui.commands.slow_mode import SlowModeQueue

SOON, LONG = 0.01, 3600.0


class Room:
    """Records the sent lines; the test answers them."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.deferred = SlowModeQueue(lambda id, line: self.heard.append(line.text))

    def say(self, *texts: str) -> None:
        for text in texts:
            self.deferred.say(text, ChatLine(text))

    async def hears(self, *texts: str) -> None:
        await until(lambda: self.heard == list(texts), f"{texts} heard; it was {self.heard}")


async def test_a_line_that_was_refused_is_said_again_under_its_id_once_it_may_be() -> None:
    room = Room()
    room.deferred.pace(LONG)
    room.say("one")
    assert room.deferred.refused("one", SOON)
    assert len(room.deferred) == 1
    await room.hears("one", "one")
    assert not room.deferred
    assert room.deferred.answered("one")


async def test_a_line_waits_behind_one_that_waits_and_behind_one_that_has_no_answer() -> None:
    room = Room()
    room.deferred.pace(SOON)
    room.say("one", "two", "three")
    await room.hears("one")
    assert room.deferred.left == 0
    room.deferred.answered("one")
    await room.hears("one", "two")
    room.deferred.answered("two")
    await room.hears("one", "two", "three")


async def test_what_was_sent_before_slow_mode_was_known_keeps_its_order() -> None:
    room = Room()
    room.say("one", "two", "three")
    room.deferred.pace(SOON)
    room.say("four")
    room.deferred.answered("one")
    room.deferred.refused("two", LONG)
    assert room.deferred.left == 0  # The latest answer has the best estimate.
    room.deferred.refused("three", SOON)
    heard = ["one", "two", "three"]
    for text in ("two", "three", "four"):
        heard.append(text)
        await room.hears(*heard)
        room.deferred.answered(text)


async def test_where_slow_mode_changes_or_ends_nobody_waits_for_what_it_was() -> None:
    room = Room()
    room.deferred.pace(LONG)
    room.say("one", "two")
    room.deferred.refused("one", LONG)
    assert LONG - 60 < room.deferred.left <= LONG
    room.deferred.pace(0.0)
    await room.hears("one", "one")
    room.deferred.answered("one")
    await room.hears("one", "one", "two")


def test_what_others_said_is_none_of_ours() -> None:
    room = Room()
    assert not room.deferred.answered("another's")
    assert not room.deferred.refused("another's", LONG)
    assert not room.deferred
