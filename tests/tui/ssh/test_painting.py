import re

from tui.line.formatting import ACTION, NICK_STYLES, NOTE, OWN, REFUSED, ROOM, TEXT
from tui.line.prompt import NICK_COLOURS as PROMPT_COLOURS
from tui.ssh.painting import NICK_COLOURS, SGR, paint

LEVELS = (0x00, 0x5F, 0x87, 0xAF, 0xD7, 0xFF)
"""Of red, green and blue in the colours 16 to 231 of xterm."""


def test_colours_surround_the_pieces_that_have_a_style() -> None:
    assert paint([(NICK_STYLES[0], "ada"), (TEXT, ": hi")], colours=True) == "\x1b[38;5;30mada\x1b[m: hi"


def test_without_colours_there_is_only_the_text() -> None:
    assert paint([(NICK_STYLES[0], "ada"), (TEXT, ": hi")], colours=False) == "ada: hi"


def test_every_style_has_attributes_and_nothing_else() -> None:
    assert set(SGR) == {OWN, ROOM, REFUSED, NOTE, ACTION, *NICK_STYLES}
    assert all(re.fullmatch(r"[0-9;]+", one) for one in SGR.values())


def test_nicknames_have_the_colours_of_the_prompt() -> None:
    def of_xterm(colour: str) -> int:
        red, green, blue = (LEVELS.index(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
        return 16 + 36 * red + 6 * green + blue

    assert tuple(map(of_xterm, PROMPT_COLOURS)) == NICK_COLOURS
