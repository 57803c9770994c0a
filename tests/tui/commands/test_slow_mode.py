"""Lines that slow mode delays are sent again in their order, when they are allowed or slow mode ends."""

from tests.tui.links import until
from tui.commands.parse import ChatLine
from tui.commands.slow_mode import SlowModeQueue

SOON, LONG = 0.01, 3600.0


class Room:
    """Records the sent lines; the test answers them."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.queue = SlowModeQueue(lambda id, line: self.heard.append(line.text))

    def say(self, *texts: str) -> None:
        for text in texts:
            self.queue.send(text, ChatLine(text))

    async def hears(self, *texts: str) -> None:
        await until(lambda: self.heard == list(texts), f"{texts} heard; it was {self.heard}")


async def test_refused_line_is_sent_again_with_its_id() -> None:
    room = Room()
    room.queue.set_interval(LONG)
    room.say("one")
    assert room.queue.on_refusal("one", SOON)
    assert len(room.queue) == 1
    await room.hears("one", "one")
    assert not room.queue
    assert room.queue.on_answer("one")


async def test_line_waits_for_waiting_and_unanswered_ones() -> None:
    room = Room()
    room.queue.set_interval(SOON)
    room.say("one", "two", "three")
    await room.hears("one")
    assert room.queue.seconds_left == 0
    room.queue.on_answer("one")
    await room.hears("one", "two")
    room.queue.on_answer("two")
    await room.hears("one", "two", "three")


async def test_lines_sent_before_slow_mode_keep_their_order() -> None:
    room = Room()
    room.say("one", "two", "three")
    room.queue.set_interval(SOON)
    room.say("four")
    room.queue.on_answer("one")
    room.queue.on_refusal("two", LONG)
    assert room.queue.seconds_left == 0  # The latest answer has the best estimate.
    room.queue.on_refusal("three", SOON)
    heard = ["one", "two", "three"]
    for text in ("two", "three", "four"):
        heard.append(text)
        await room.hears(*heard)
        room.queue.on_answer(text)


async def test_change_of_slow_mode_ends_the_wait() -> None:
    room = Room()
    room.queue.set_interval(LONG)
    room.say("one", "two")
    room.queue.on_refusal("one", LONG)
    assert LONG - 60 < room.queue.seconds_left <= LONG
    room.queue.set_interval(0.0)
    await room.hears("one", "one")
    room.queue.on_answer("one")
    await room.hears("one", "one", "two")


def test_what_others_said_is_none_of_ours() -> None:
    room = Room()
    assert not room.queue.on_answer("another's")
    assert not room.queue.on_refusal("another's", LONG)
    assert not room.queue
