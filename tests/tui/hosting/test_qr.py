import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.content import Content

from tests.tui.raster import HIGH, WIDE
from tui.hosting.qr import DARK, SIZES, Code


def read(drawn: Content) -> list[str]:
    """Decode the drawn code on a black background."""
    lines = drawn.split("\n")
    pixels = b"".join(row * (HIGH // 2) for line in lines for row in halves(line))
    image = memoryview(pixels).cast("B", shape=[len(lines) * HIGH, len(lines[0]) * WIDE])
    return [found.text for found in zxingcpp.read_barcodes(image)]


def halves(line: Content) -> tuple[bytes, bytes]:
    """The pixels of the upper and the lower halves of a row of cells."""
    upper, lower = bytearray(), bytearray()
    for span in line.spans:
        ink, _, paper = str(span.style).rpartition("on ")
        if line.plain[span.start] == " ":
            ink = paper
        upper += bytes([0 if DARK in ink else 255]) * WIDE
        lower += bytes([0 if DARK in paper else 255]) * WIDE
    return bytes(upper), bytes(lower)


@pytest.mark.parametrize(("scale", "border"), SIZES)
@pytest.mark.parametrize("text", ["http://192.0.2.7:2000", "telnet://[2001:db8::1]:65535", "x"])
def test_qr_code_is_decodable_at_each_size(text: str, scale: int, border: int) -> None:
    assert read(Code(text).drawn(scale, border)) == [text]


@settings(max_examples=25)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
def test_parse_of_any_written_address_returns_it(text: str) -> None:
    assert read(Code(text).drawn()) == [text]


def test_the_largest_that_fits_is_chosen_and_fits() -> None:
    code = Code("http://192.0.2.7:2000")
    chosen = []
    for width in range(20, 140):
        for height in (14, 17, 33, 60):
            if (fitting := code.size(width, height)) is None:
                continue
            lines = code.drawn(*fitting).split("\n")
            assert len(lines) <= height
            assert {len(line) for line in lines} == {len(lines[0])}
            assert len(lines[0]) <= width
            chosen.append(fitting)
    assert set(chosen) == set(SIZES)


@pytest.mark.parametrize(("width", "height"), [(20, 60), (140, 8), (0, 0), (-5, -5)])
def test_where_none_fits_none_is_drawn(width: int, height: int) -> None:
    assert Code("http://192.0.2.7:2000").size(width, height) is None


def test_qr_code_of_usual_address_fits_a_small_terminal() -> None:
    assert Code("http://192.168.100.200:2000").size(44, 17) == (1, 4)
