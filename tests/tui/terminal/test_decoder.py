"""InputDecoder: no input raises an exception, in any pieces; text arrives whole, and later keys arrive."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.terminal.decoder import (
    MAX_PASTE_BYTES,
    MAX_STRING_BYTES,
    PASTE_TIMEOUT_S,
    SEQUENCE_TIMEOUT_S,
    AltKey,
    ControlSequence,
    EscapeKey,
    InputDecoder,
    PastedText,
    Text,
    Token,
)

PIECES = [
    b"\x1b",
    b"[",
    b"]",
    b"P",
    b"O",
    b"200~",
    b"201~",
    b"\x1b[200~",
    b"\x1b[201~",
    b"\x1b\\",
    b"\x07",
    b"M",
    b"\xe9",
]
hostile_bytes = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)), max_size=20)
plain_text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


def decode(*chunks: bytes) -> list[Token]:
    decoder = InputDecoder()
    return [token for chunk in chunks for token in decoder.feed(chunk, 0)]


def expire_all(decoder: InputDecoder) -> list[Token]:
    assert decoder.deadline is not None
    return decoder.expire(decoder.deadline)


def joined(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens if isinstance(token, Text))


@given(hostile_bytes)
def test_any_bytes_never_raise_and_later_keys_arrive(chunks: list[bytes]) -> None:
    decoder = InputDecoder()
    for chunk in chunks:
        decoder.feed(chunk, 0)
    while decoder.deadline is not None:
        decoder.expire(decoder.deadline)
    assert joined(decoder.feed(b"key", 9)).endswith("key")


@given(hostile_bytes, st.data())
def test_pieces_of_any_size_decode_to_the_same(chunks: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(chunks)
    decoder = InputDecoder()
    in_pieces: list[Token] = []
    at = 0
    while at < len(whole):
        size = data.draw(st.integers(1, len(whole) - at))
        in_pieces += decoder.feed(whole[at : at + size], 0)
        at += size
    once = decode(whole)
    assert [one for one in in_pieces if not isinstance(one, Text)] == [one for one in once if not isinstance(one, Text)]
    assert joined(in_pieces) == joined(once)


@given(plain_text, st.integers(1, 7))
@example("é", 1)
def test_text_in_any_pieces_arrives_whole(text: str, size: int) -> None:
    data = text.encode()
    assert joined(decode(*(data[at : at + size] for at in range(0, len(data), size)))) == text


@given(st.binary(max_size=300).filter(lambda data: b"\x1b" not in data and b"\x00" not in data))
def test_a_paste_in_any_pieces_arrives_whole(content: bytes) -> None:
    data = b"a\x1b[200~" + content + b"\x1b[201~b"
    tokens = decode(*(data[at : at + 5] for at in range(0, len(data), 5)))
    pasted = [token.text for token in tokens if isinstance(token, PastedText)]
    assert pasted == ([content.decode("utf-8", "replace")] if content else [])
    assert joined(tokens) == "ab"


def test_bytes_of_another_encoding_become_replacement_characters() -> None:
    assert joined(decode(b"caf\xe9 au lait")) == "caf\ufffd au lait"
    assert decode(b"\xe1", b"\x1b[A") == [Text("\ufffd"), ControlSequence("\x1b[A")]
    assert decode(b"\x1b[200~caf\xe9\x1b[201~") == [PastedText("caf\ufffd")]


@pytest.mark.parametrize(
    "reply",
    [
        b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
        b"\x1b]11;rgb:1e1e/1e1e/2e2e\x07",
        b"\x1b]4;1;rgb:cdcd/0000/0000\x07",
        b"\x1bP>|term(0.35.2)\x1b\\",
        b"\x1bP1+r524742=38\x1b\\",
        b"\x1bP!|00000000\x1b\\",
        b"\x1b_Gi=31;OK\x1b\\",
    ],
)
def test_a_reply_in_a_string_is_dropped_whole(reply: bytes) -> None:
    assert decode(reply + b"x") == [Text("x")]
    assert decode(*(reply[at : at + 1] for at in range(len(reply))), b"x") == [Text("x")]


def test_string_without_end_ends_at_a_control_character() -> None:
    assert decode(b"\x1b]11;rgb:1e1e", b"\r") == [Text("\r")]
    assert decode(b"\x1b]11;rgb:1e1e", b"\x1b[A") == [ControlSequence("\x1b[A")]


def test_a_string_without_end_is_over_after_a_timeout() -> None:
    decoder = InputDecoder()
    assert decoder.feed(b"\x1b]11;rgb:", 5) == []
    assert decoder.expire(5) == []
    assert decoder.expire(5 + SEQUENCE_TIMEOUT_S) == []
    assert decoder.feed(b"hello", 6) == [Text("hello")]


def test_a_string_without_end_is_bounded() -> None:
    decoder = InputDecoder()
    decoder.feed(b"\x1b]0", 0)
    for _ in range(MAX_STRING_BYTES // 65536 + 1):
        decoder.feed(b"x" * 65536, 0)
    assert joined(decoder.feed(b"typed", 0)) == "typed"


def test_a_paste_whose_end_mark_is_lost_is_over_after_a_timeout() -> None:
    decoder = InputDecoder()
    assert decoder.feed(b"\x1b[200~half a paste", 5) == []
    assert decoder.expire(5 + PASTE_TIMEOUT_S / 2) == []
    assert decoder.expire(5 + PASTE_TIMEOUT_S) == [PastedText("half a paste")]
    assert decoder.feed(b"typed\r", 9) == [Text("typed\r")]
    assert decoder.deadline is None


def test_a_paste_that_begins_in_another_ends_that_one() -> None:
    assert decode(b"\x1b[200~one\x1b[200~two\x1b[201~") == [PastedText("one"), PastedText("two")]


def test_a_huge_paste_is_cut() -> None:
    decoder = InputDecoder()
    decoder.feed(b"\x1b[200~", 0)
    for _ in range(MAX_PASTE_BYTES // 65536 + 2):
        assert decoder.feed(b"x" * 65536, 0) == []
    (pasted,) = decoder.feed(b"\x1b[201~", 0)
    assert isinstance(pasted, PastedText)
    assert MAX_PASTE_BYTES <= len(pasted.text) <= MAX_PASTE_BYTES + 6


def test_escape_alone_is_a_key_after_a_timeout() -> None:
    decoder = InputDecoder(escape_timeout=0.1)
    assert decoder.feed(b"\x1b", 5) == []
    assert decoder.deadline == pytest.approx(5.1)
    assert decoder.expire(5.05) == []
    assert expire_all(decoder) == [EscapeKey()]


@pytest.mark.parametrize("sequence", ["\x1b[A", "\x1b[1;5C", "\x1bOP", "\x1b[[A", "\x1b[<0;1;1M", "\x1b[?2026;2$y"])
def test_a_sequence_in_any_pieces_arrives_whole(sequence: str) -> None:
    data = sequence.encode()
    assert decode(data) == [ControlSequence(sequence)]
    assert decode(*(data[at : at + 1] for at in range(len(data)))) == [ControlSequence(sequence)]


def test_mouse_report_of_x10_is_taken_with_its_three_bytes() -> None:
    assert decode(b"\x1b[M\x23\xb6\x2ax") == [ControlSequence("\x1b[<0;150;10m"), Text("x")]
    assert decode(b"\x1b[M\x20\x21\x21") == [ControlSequence("\x1b[<0;1;1M")]


def test_alt_and_a_key() -> None:
    assert decode(b"\x1bb") == [AltKey("b")]
    assert decode("\x1bé".encode()) == [AltKey("é")]
    assert decode(b"\x1b]x") == [AltKey("]"), Text("x")]
    decoder = InputDecoder()
    assert decoder.feed(b"\x1b[", 0) == []
    assert expire_all(decoder) == [AltKey("[")]


def test_two_escapes_are_a_key_and_the_begin_of_a_sequence() -> None:
    assert decode(b"\x1b\x1b[A") == [EscapeKey(), ControlSequence("\x1b[A")]


def test_an_endless_sequence_is_dropped() -> None:
    assert decode(b"\x1b[" + b"1;" * 5000, b"1;" * 5000, b"Ax") == [Text("x")]
