"""Turns styled lines into text with colours for a terminal (SGR, ECMA-48 section 8.3.117). Pure.

The colours are those of the prompt, from the part of xterm's 256 colours that no theme of a terminal changes.
"""

from tui.line.formatting import ACTION, NICK_STYLES, NOTE, OWN, REFUSED, ROOM, Line, text_of

NICK_COLOURS = (30, 28, 130, 163, 63, 131)
REFUSED_COLOUR = 131
QUIET_COLOUR = 243
SGR = {
    OWN: "1",
    ROOM: f"38;5;{QUIET_COLOUR}",
    REFUSED: f"1;38;5;{REFUSED_COLOUR}",
    NOTE: f"3;38;5;{QUIET_COLOUR}",
    ACTION: "3",
    **{style: f"38;5;{colour}" for style, colour in zip(NICK_STYLES, NICK_COLOURS, strict=True)},
}


def paint(line: Line, *, colours: bool) -> str:
    """The text of a line, with colours or without."""
    if not colours:
        return text_of(line)
    return "".join(f"\x1b[{SGR[style]}m{text}\x1b[m" if style in SGR else text for style, text in line)
