"""Telnet commands and editing keys, cut at any byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.telnet import TelnetDecoder
from tests.protocol.strategies import copied, cut, places, ways_to_cut

LIMIT = 100
PUTTY = bytes.fromhex("fffb1ffffb20fffb18fffb27fffd01fffb03fffd03")


def decoded(pieces: list[bytes]) -> tuple[bytes, bytes]:
    """The lines and the answers of a stream in pieces."""
    decoder, text, answers = TelnetDecoder(), b"", b""
    for piece in pieces:
        if decoder.is_idle_for(piece):
            text += piece
            continue
        begin = text.rfind(b"\n") + 1
        line, answer, _ = decoder.decode(piece, text[begin:], LIMIT)
        text = text[:begin] + line
        answers += answer
        decoder = copied(decoder)
    return text.replace(b"\r\n", b"\n"), answers  # LineBuffer removes the CR.


@pytest.mark.parametrize(
    ("sent", "text", "answers"),
    [
        (PUTTY + b"ada\r\n", b"ada\n", bytes.fromhex("fffe1ffffe20fffe18fffe27fffc01fffe03fffc03")),
        (b"\xff\xfa\x1f\x00\x0a\x00\x18\xff\xf0ada\r\n", b"ada\n", b""),
        (b"\xff\xfa\x18\0a\xff\xff\n\xff\xf0ada\n", b"ada\n", b""),
        (b"\xff\xfa\x18\xff\xfb\x01ada\n", b"ada\n", b"\xff\xfe\x01"),
        (b"half\xff\xf4\xff\xfd\x06next\r\n", b"next\n", b"\xff\xfb\x06"),
        (b"said\nhalf\xff\xf4\xff\xf2next\n", b"said\nnext\n", b""),
        (b"said\nhalf\x03next\n", b"said\nnext\n", b""),
        (b"a\xff\xfc\x01\xff\xfe\x01b\n", b"ab\n", b""),
        (b"a\xff\xf1\xff\xf9b\n", b"ab\n", b""),
        (b"\xff\xf6ada\n", b"ada\n", b"*** yes, the room is here\n"),
        (b"a\xff\xffb\n", b"a\xffb\n", b""),
        (b"\xff\nada\n", b"\xff\nada\n", b""),
        (b"hellp\x08o\r\nthsi\x7f\x7fis\r\n", b"hello\nthis\n", b""),
        ("Zoé\x08ë\n".encode(), "Zoë\n".encode(), b""),
        (b"said\n\x08\x7fa\n", b"said\na\n", b""),
        (b"x\xff\xf7y\n", b"y\n", b""),
        (b"xx\xff\xf8y\n", b"y\n", b""),
        (b"xx\x15y\n", b"y\n", b""),
        (b"a\rb\r\0c\r\nd\n\r\r\n", b"a\nb\nc\nd\n\n\n", b""),
    ],
)
def test_decode_in_pieces_gives_lines_and_answers(sent: bytes, text: bytes, answers: bytes) -> None:
    for place in range(len(sent)):
        assert decoded([sent[:place], sent[place:]]) == (text, answers)
    assert decoded([bytes([byte]) for byte in sent]) == (text, answers)


@given(st.lists(st.sampled_from([b"\xff", b"\xfa", b"\xf0", b"\xfd", b"\x06", b"\x08", b"\r", b"\n", b"\0", b"ab"])))
def test_decode_gives_the_same_however_it_is_cut(pieces: list[bytes]) -> None:
    data = b"".join(pieces)[:LIMIT]
    assert decoded(pieces) == decoded([data]) if len(b"".join(pieces)) <= LIMIT else True


def test_decode_of_an_endless_subnegotiation_keeps_nothing() -> None:
    decoder = TelnetDecoder()
    for _ in range(3):
        assert decoder.decode(b"\xff\xfa\x18" + b"x" * 1000, b"", LIMIT).line == b""
    assert len(repr(decoder)) < 100


@given(st.binary(), places)
def test_is_idle_for_text_without_controls(data: bytes, where: list[int]) -> None:
    plain = data.translate(None, b"\x03\x08\r\x15\x7f\xff")
    for pieces in ways_to_cut(plain, where):
        assert decoded(pieces) == (plain, b"")
    assert b"".join(cut(plain, where)) == plain
