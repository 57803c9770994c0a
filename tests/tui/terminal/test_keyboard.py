"""Keys of terminals with the kitty keyboard protocol, typed on any layout."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.terminal.keyboard import KeyNormalizer


def normalize(sequence: str) -> str | None:
    return KeyNormalizer().normalize(sequence)


@pytest.mark.parametrize(
    ("sequence", "normal"),
    [
        ("\x1b[27;1:1u", "\x1b[27u"),
        ("\x1b[97;5:1u", "\x1b[97;5u"),
        ("\x1b[97:65;2;65u", "\x1b[97;2;65u"),
        ("\x1b[97::97;;97u", "\x1b[97;;97u"),
        ("\x1b[1;5:1A", "\x1b[1;5A"),
        ("\x1b[3;1:2~", "\x1b[3~"),
        ("\x1b[A", "\x1b[A"),
        ("\x1b[27;5;113~", "\x1b[113;5u"),
        ("\x1bO2P", "\x1b[1;2P"),
    ],
)
def test_normalize_sub_fields_are_left_out(sequence: str, normal: str) -> None:
    assert normalize(sequence) == normal


@pytest.mark.parametrize(
    "sequence",
    ["\x1b[97;1:3u", "\x1b[99999999;1u", "\x1b[55296u", "\x1b[0u", "\x1b[;5u", "\x1b[97;99999u", "\x1b[1114112;5u"],
)
def test_normalize_release_or_no_character_is_none(sequence: str) -> None:
    assert normalize(sequence) is None


@pytest.mark.parametrize(
    ("sequence", "normal"),
    [
        ("\x1b[1081::113;5u", "\x1b[113;5u"),
        ("\x1b[1089::99;5:1u", "\x1b[99;5u"),
        ("\x1b[59::113;5u", "\x1b[113;5u"),
        ("\x1b[47::113;5u", "\x1b[113;5u"),
        ("\x1b[1081;5u", "\x1b[113;5u"),
        ("\x1b[969;5u", "\x1b[118;5u"),
        ("\x1b[1513;5u", "\x1b[97;5u"),
        ("\x1b[1081::113;69u", "\x1b[113;69u"),
    ],
    ids=["russian", "russian-c", "greek", "hebrew", "russian-alone", "greek-alone", "hebrew-alone", "num-lock"],
)
def test_normalize_ctrl_on_other_layouts_is_the_us_key(sequence: str, normal: str) -> None:
    assert normalize(sequence) == normal


def test_normalize_ctrl_on_dvorak_is_the_letter_of_the_layout() -> None:
    keyboard = KeyNormalizer()
    assert keyboard.normalize("\x1b[113::120;5u") == "\x1b[113;5u"
    assert keyboard.normalize("\x1b[39::113;5u") == "\x1b[39;5u"


def test_normalize_text_that_is_missing_is_the_key() -> None:
    assert normalize("\x1b[97u") == "\x1b[97;;97u"
    assert normalize("\x1b[97:65;2u") == "\x1b[97;2;65u"
    assert normalize("\x1b[57352;1u") == "\x1b[57352u"


def test_normalize_text_drops_invalid_code_points() -> None:
    assert normalize("\x1b[97;;97:55296:7:99999999u") == "\x1b[97;;97u"


@given(st.from_regex(r"\x1b\[[0-9:;<>?]{0,30}[u~A-Z]", fullmatch=True))
def test_normalize_any_sequence_never_raises(sequence: str) -> None:
    normalize(sequence)
