"""Makes text safe for terminals. Pure.

Terminals obey C0, C1 and bidi controls wherever they come from, and draw invisible characters as nothing, so text is
sanitized when it enters the server and again when a client receives it. The rules follow Unicode general categories:
controls become pictures, format characters are removed, and a letter carries at most three combining marks.
"""

import re
from unicodedata import category

MAX_MARKS = 3
"""Combining marks kept on one letter; Vietnamese needs two, Hebrew with cantillation three."""

_VISIBLE_FORMAT = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Format characters that are drawn (Prepended_Concatenation_Mark: Arabic number and verse signs, mostly)."""
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u034f\u180b\u180c\u180d\u180f\u17b4\u17b5\ufffe\uffff")
"""Letters and marks that are drawn as nothing, and two that are no characters."""
_RESERVED_BLANK = re.compile("[\u2065\ufff0-\ufff8\U000e0000-\U000e0fff]")
"""What Unicode has set aside for more of them (Default_Ignorable_Code_Point): the tags and their neighbours."""
_LINE_END = "\u2424"
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What terminals obey: controls, and what turns the direction of text."""


def has_control_sequences(text: str) -> bool:
    """Whether there is something in it that a terminal would obey, besides tabs and line ends. What else `sanitize`
    drops, as the joiners of emoji and of some languages, means no harm."""
    return _OBEYED.search(text) is not None


def sanitize(text: str, *, lines: bool = False) -> str:
    """`text` with nothing in it that a terminal would obey or hide. With `lines`, LF stays a line end."""
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = 0
    for char in text:
        kind = category(char)
        if kind in ("Mn", "Me"):
            marks += 1
            if marks > MAX_MARKS or not kept or kept[-1] == "\n" or _is_hidden_mark(char):
                continue
        else:
            if char != " " and (kind[0] in "CZ" or char in _BLANK or char == "\u2800"):
                char = _visible(char, kind, lines)
            if not char:
                continue  # Its letter goes on: what is hidden between the marks must not let more of them in.
            marks = 0
        kept.append(char)
    return "".join(kept)


def _is_hidden_mark(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or char in _BLANK or _RESERVED_BLANK.match(char) is not None


def _visible(char: str, kind: str, lines: bool) -> str:
    code = ord(char)
    if char == "\n":
        return char if lines else _LINE_END
    if char == "\t":
        return "    "
    if kind == "Cc":
        if code < 0x20:
            return chr(0x2400 + code)
        return "\u2421" if code == 0x7F else _LINE_END if code == 0x85 else "\ufffd"
    if kind in ("Zl", "Zp"):
        return _LINE_END
    if kind == "Zs" or char == "\u2800":
        return char if char == "\u3000" else " "
    if kind == "Cs" or char in _BLANK or (kind == "Cf" and char not in _VISIBLE_FORMAT) or _RESERVED_BLANK.match(char):
        return ""
    return char
