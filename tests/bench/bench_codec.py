"""The cost of encoding an event and of decoding a command, in each dialect."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from protocol import json_lines, plain_text
from protocol.framing import LineBuffer
from protocol.messages import Said, Say
from protocol.sanitize import sanitize

TEXT = "loud and clear. here is the code, it is two lines long and wraps under its own text"
SAID = Said(seq=12_345, nick="ada", text=TEXT, at=1_700_000_000.25, id="d7f3a1b2c4", action=False)
SAY = Say(id="d7f3a1b2c4", text=TEXT)
LINES = 1000


@pytest.mark.benchmark(group="encode an event")
@pytest.mark.parametrize("dialect", [json_lines, plain_text], ids=["jsonl", "plain"])
def test_encode(benchmark: BenchmarkFixture, dialect) -> None:
    assert benchmark(dialect.encode, SAID).endswith(b"\n")


@pytest.mark.benchmark(group="decode a command")
def test_decode_jsonl(benchmark: BenchmarkFixture) -> None:
    assert benchmark(json_lines.decode_command, json_lines.encode(SAY)) == SAY


@pytest.mark.benchmark(group="decode a command")
def test_decode_plain(benchmark: BenchmarkFixture) -> None:
    assert benchmark(plain_text.decode_command, TEXT.encode()) == Say("", TEXT)


@pytest.mark.benchmark(group="decode an event, as a client does")
def test_decode_event(benchmark: BenchmarkFixture) -> None:
    assert benchmark(json_lines.decode_event, json_lines.encode(SAID)) == SAID


@pytest.mark.benchmark(group="make a text harmless")
@pytest.mark.parametrize(
    "text", [TEXT, TEXT.replace("o", "ö"), TEXT.replace("o", "\x1b")], ids=["ASCII", "other letters", "controls"]
)
def test_harmless(benchmark: BenchmarkFixture, text: str) -> None:
    assert len(benchmark(sanitize, text)) == len(TEXT)


@pytest.mark.benchmark(group=f"cut {LINES:,} lines")
@pytest.mark.parametrize("size", [64 * 1024, 100], ids=["64 KiB at a time", "100 bytes at a time"])
def test_lines(benchmark: BenchmarkFixture, size: int) -> None:
    data = f"{TEXT}\n".encode() * LINES

    def cut() -> int:
        lines, count = LineBuffer(), 0
        for start in range(0, len(data), size):
            lines.feed(data[start : start + size])
            while lines.next_line(4096) is not None:
                count += 1
        return count

    assert benchmark(cut) == LINES
