import asyncio

from tests.running import PATIENCE
from tests.tui.links import until
from tui.ssh.output import MAX_HELD_CHARACTERS, MAX_UNSENT_BYTES, RETRY_INTERVAL_S, Output


class Reader:
    """A guest that reads only what `unsent` says."""

    def __init__(self) -> None:
        self.unsent = 0
        self.text = ""
        self.output = Output(self._write, lambda: self.unsent, lambda sentence: f"--- {sentence}")

    def _write(self, text: str) -> None:
        self.text += text


async def test_lines_are_written_at_once() -> None:
    reader = Reader()
    reader.output.show(["one", "two"])
    assert reader.text == "one\ntwo\n"


async def test_lines_for_a_slow_reader_come_later_in_order() -> None:
    reader = Reader()
    reader.unsent = MAX_UNSENT_BYTES + 1
    reader.output.show(["one"])
    reader.unsent = MAX_UNSENT_BYTES
    reader.output.show(["two"])
    await asyncio.sleep(0)
    assert reader.text == ""
    reader.unsent = 0
    await until(lambda: reader.text == "one\ntwo\n", "the held lines")
    reader.output.show(["three"])
    assert reader.text == "one\ntwo\nthree\n"


async def test_oldest_lines_are_left_out_and_counted() -> None:
    reader = Reader()
    reader.unsent = MAX_UNSENT_BYTES + 1
    lines = [f"{number:01000}" for number in range(1000)]
    for line in lines:
        reader.output.show([line])
    reader.unsent = 0
    await until(lambda: reader.text, "the held lines")
    first, *kept = reader.text.splitlines()
    left_out = len(lines) - len(kept)
    assert first == f"--- {left_out} lines were left out, as you read too slowly"
    assert kept == lines[left_out:]
    assert sum(map(len, kept)) <= MAX_HELD_CHARACTERS
    reader.text = ""
    reader.unsent = MAX_UNSENT_BYTES + 1
    reader.output.show(["later"])
    reader.unsent = 0
    await until(lambda: reader.text == "later\n", "no second count of the same lines")


async def test_one_line_longer_than_the_limit_is_left_out() -> None:
    reader = Reader()
    reader.unsent = MAX_UNSENT_BYTES + 1
    reader.output.show(["x" * (MAX_HELD_CHARACTERS + 1)])
    reader.output.finish()
    assert reader.text == "--- 1 line was left out, as you read too slowly\n"


async def test_finish_writes_what_is_held_and_stops_the_timer() -> None:
    reader = Reader()
    reader.unsent = MAX_UNSENT_BYTES + 1
    reader.output.show(["last words"])
    reader.output.finish()
    assert reader.text == "last words\n"
    assert reader.output._timer is None


async def test_wait_until_read_returns_once_the_guest_reads() -> None:
    reader = Reader()
    await asyncio.wait_for(reader.output.wait_until_read(), PATIENCE)
    reader.unsent = MAX_UNSENT_BYTES + 1
    waiting = asyncio.create_task(reader.output.wait_until_read())
    done, _ = await asyncio.wait([waiting], timeout=3 * RETRY_INTERVAL_S)
    assert not done
    reader.unsent = 0
    await asyncio.wait_for(waiting, PATIENCE)
