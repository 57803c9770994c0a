"""InputTranslator: the messages for input of a terminal: named keys, and none for a reply."""

from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from tests.tui.terminal.test_decoder import hostile_bytes
from tui.terminal.decoder import InputDecoder
from tui.terminal.translator import MIN_PASTED_CHARACTERS, InputTranslator, bounded_size


def translate(*chunks: bytes) -> list[Message]:
    decoder, translator = InputDecoder(), InputTranslator()
    tokens = [token for chunk in chunks for token in decoder.feed(chunk, 0)]
    if decoder.deadline is not None:
        tokens += decoder.expire(decoder.deadline)
    pairs = zip_longest(tokens, tokens[1:])
    return [message for token, following in pairs for message in translator.translate(token, following)]


def keys(*chunks: bytes) -> list[str]:
    return [message.key for message in translate(*chunks) if isinstance(message, events.Key)]


@given(hostile_bytes)
def test_any_bytes_never_raise(chunks: list[bytes]) -> None:
    translate(*chunks)


def test_escape_and_text_in_one_read_are_typed() -> None:
    assert keys(b"\x1b/kick") == ["escape", "slash", "k", "i", "c", "k"]
    assert keys(b"\x1bback") == ["escape", "b", "a", "c", "k"]
    assert keys(b"\x1b\r") == ["escape", "enter"]


def test_alt_and_a_letter_is_escape_and_that_letter() -> None:
    """Nothing is bound to it, and it may be an Escape that was typed fast."""
    assert keys(b"\x1bq") == ["escape", "q"]


def test_alt_with_a_meaning_keeps_it() -> None:
    assert keys(b"\x1bb", b"\x1bf", b"\x1b\x7f") == ["ctrl+left", "ctrl+right", "ctrl+w"]


@given(st.from_regex(rb"\x1b[\[O][0-9:;<>?]{0,30}[ -/]?[@-~]", fullmatch=True))
def test_any_sequence_never_types_a_letter(sequence: bytes) -> None:
    typed = [one for one in translate(sequence) if isinstance(one, events.Key) and one.is_printable]
    assert not typed or sequence[-1:] in b"u~" or sequence[1:2] == b"O"


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"a", "a"),
        (b"\x1b", "escape"),
        (b"\x1b[27;1:1u", "escape"),
        (b"\r", "enter"),
        (b"\x1b[13u", "enter"),
        (b"\x7f", "backspace"),
        (b"\x03", "ctrl+c"),
        (b"\x1b[99;5u", "ctrl+c"),
        (b"\x1b[1089::99;3:3u", None),
        (b"\x1b[1081::113;5u", "ctrl+q"),
        (b"\x1b[A", "up"),
        (b"\x1bOA", "up"),
        (b"\x1b[1;5C", "ctrl+right"),
        (b"\x1bOP", "f1"),
        (b"\x1b[11~", "f1"),
        (b"\x1b[[A", "f1"),
        (b"\x1b[15~", "f5"),
        (b"\x1b[3~", "delete"),
        (b"\x1b[Z", "shift+tab"),
        (b"\x00", "ctrl+@"),
        (b"\x1b[24$", "f24"),
    ],
)
def test_key_is_named(data: bytes, key: str | None) -> None:
    assert keys(data) == ([] if key is None else [key])


@pytest.mark.parametrize(
    "reply",
    [
        b"\x1b[?62;22;52c",
        b"\x1b[>41;366;0c",
        b"\x1b[?0u",
        b"\x1b[?997;1n",
        b"\x1b[0n",
        b"\x1b[12;40R",
        b"\x1b[8;30;100t",
    ],
)
def test_a_reply_to_another_query_is_no_message(reply: bytes) -> None:
    assert translate(reply) == []


def test_text_that_was_not_typed_is_a_paste() -> None:
    burst = "x" * MIN_PASTED_CHARACTERS
    typed = translate(f"ab\r{burst}\rc".encode())
    assert [one.text for one in typed if isinstance(one, events.Paste)] == [burst]
    assert keys(f"ab\r{burst}\rc".encode()) == ["a", "b", "enter", "enter", "c"]


@pytest.mark.parametrize(
    "report", [b"\x1b[<0;4;3M", b"\x1b[M\x20\x24\x23", b"\x1b[32;4;3M"], ids=["sgr", "x10", "urxvt"]
)
def test_mouse_report_of_each_form_is_a_press(report: bytes) -> None:
    (press,) = translate(report)
    assert isinstance(press, events.MouseDown)
    assert (press.x, press.y) == (3, 2)


def test_size_report_is_a_resize_within_bounds() -> None:
    (resize,) = translate(b"\x1b[48;30;100;600;1000t")
    assert isinstance(resize, events.Resize)
    assert resize.size == (100, 30)
    assert translate(b"\x1b[48;0;0;0;0t") == []
    (resize,) = translate(b"\x1b[48;99999;99999;0;0t")
    assert isinstance(resize, events.Resize)
    assert resize.size == bounded_size(99999, 99999)
