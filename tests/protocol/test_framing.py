"""The first bytes of a connection, and its lines, whole and in pieces."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.framing import LineBuffer, Opening, OverlongLine, read_opening
from tests.protocol.strategies import copied, cut, places, ways_to_cut, wire_bytes

V1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 5555 2000\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([192, 0, 2, 10, 192, 0, 2, 255]) + b"\x15\xb3\x07\xd0"
BOM = b"\xef\xbb\xbf"
TLS = b"\x16\x03\x01"
LIMIT = 20
stream = st.one_of(
    wire_bytes,
    st.text("ab\r\n", max_size=120).map(str.encode),
    st.lists(st.sampled_from([b"a" * LIMIT, b"\r", b"\n", b"b"]), max_size=12).map(b"".join),
)


@pytest.mark.parametrize("header", [V1, b"PROXY UNKNOWN\r\n", V2, BOM, V1 + BOM, V2 + V1])
@pytest.mark.parametrize("rest", [b"ada\n", b"{", b"\n\n", b"Proxima\n"])
def test_read_opening_of_a_header_skips_it(header: bytes, rest: bytes) -> None:
    assert read_opening(header + rest) == Opening("", len(header))
    for size in range(len(header)):
        assert read_opening(header[:size]) is None


@pytest.mark.parametrize(
    "start", [b"ada\n", b"{", b"\n", b"\r\nada", b"PROXIMA\n", b"PROXY is my name\n", b"\xef\xbb\n"]
)
def test_read_opening_of_a_nickname_skips_nothing(start: bytes) -> None:
    assert read_opening(start) == Opening("", 0)


def test_read_opening_of_tls_behind_a_proxy_names_it() -> None:
    assert read_opening(TLS) == Opening("TLS", 0)
    assert read_opening(V1 + TLS) == Opening("TLS", len(V1))
    assert read_opening(TLS[:1]) is None


@pytest.mark.parametrize("start", [b"P", b"PROXY TCP4 192", b"\r\n", V2[:-1], b"\x16", b"\xef"])
def test_read_opening_without_more_bytes_takes_them_as_text(start: bytes) -> None:
    assert read_opening(start, is_complete=True) == Opening("", 0)


def test_read_opening_of_an_endless_header_gives_up() -> None:
    assert read_opening(b"PROXY " + b"x" * 200) == Opening("", 0)


def plain_model(data: bytes, limit: int = LIMIT) -> list[bytes | OverlongLine]:
    """The lines that a LineBuffer must return, with OverlongLine for those above the limit."""
    *whole, _ = data.split(b"\n")
    lines = [line.removesuffix(b"\r") for line in whole]
    return [line if len(line) <= limit else OverlongLine(len(line)) for line in lines]


def drained(buffer: LineBuffer) -> list[bytes | OverlongLine]:
    lines: list[bytes | OverlongLine] = []
    while (line := buffer.next_line(LIMIT)) is not None:
        lines.append(line)
    return lines


@given(stream, places)
@example(b"a" * (LIMIT + 1) + b"\r\n", [LIMIT + 2])
@example(b"a" * LIMIT + b"\r\nb\n", [LIMIT + 1])
def test_next_line_is_the_same_for_any_cut(data: bytes, places: list[int]) -> None:
    for pieces in ways_to_cut(data, places):
        buffer = LineBuffer()
        lines: list[bytes | OverlongLine] = []
        for piece in pieces:
            buffer.feed(piece)
            lines += drained(buffer)
        assert lines == plain_model(data)


@given(stream, places, st.data())
def test_next_line_is_the_same_for_any_pace(data: bytes, places: list[int], more: st.DataObject) -> None:
    buffer = LineBuffer()
    lines: list[bytes | OverlongLine] = []
    for piece in cut(data, places):
        buffer.feed(piece)
        for _ in range(more.draw(st.integers(0, 3))):
            if (line := buffer.next_line(LIMIT)) is not None:
                lines.append(line)
    assert lines + drained(buffer) == plain_model(data)


@given(stream, places)
def test_buffer_can_be_copied_between_any_two_bytes(data: bytes, places: list[int]) -> None:
    buffer = LineBuffer()
    lines: list[bytes | OverlongLine] = []
    for piece in cut(data, places):
        buffer = copied(buffer)
        buffer.feed(piece)
        buffer = copied(buffer)
        if (line := buffer.next_line(LIMIT)) is not None:
            lines.append(line)
    assert lines + drained(copied(buffer)) == plain_model(data)


@given(stream, places)
def test_has_line_is_true_for_a_whole_line(data: bytes, places: list[int]) -> None:
    buffer = LineBuffer()
    for piece in cut(data, places):
        buffer.feed(piece)
        while buffer.has_line:
            assert buffer.next_line(LIMIT) is not None
        assert buffer.next_line(LIMIT) is None


@given(stream, places)
def test_endless_line_takes_no_memory(data: bytes, places: list[int]) -> None:
    buffer = LineBuffer()
    for piece in cut(data.replace(b"\n", b"-"), places):
        buffer.feed(piece)
        assert buffer.next_line(LIMIT) is None
        assert len(buffer.data) <= LIMIT + 1


def test_overlong_line_is_counted_and_dropped() -> None:
    buffer = LineBuffer()
    for _ in range(1024):
        buffer.feed(b"x" * 1024)
        buffer.next_line(LIMIT)
    assert buffer.data == b""
    assert buffer.dropped_bytes == 2**20
    buffer.feed(b"\nada\n")
    assert drained(buffer) == [OverlongLine(2**20), b"ada"]


def test_only_lf_ends_a_line() -> None:
    text = "a\rb\0c\x0bd\x0ce\x85f\u2028g\u2029h"
    buffer = LineBuffer()
    buffer.feed(text.encode() + b"\n")
    assert buffer.next_line(100) == text.encode()


def test_crlf_and_lf_can_be_mixed() -> None:
    buffer = LineBuffer()
    buffer.feed(b"a\r\nb\nc\r\n\n\r\n")
    assert drained(buffer) == [b"a", b"b", b"c", b"", b""]
