"""Makes text safe for terminals. Pure.

A terminal obeys C0, C1 and bidi controls in any text, and shows nothing for an invisible character. So text is
sanitized when it enters the server, and again when a client receives it. The rules follow the general categories of
Unicode: controls become control pictures, format characters are removed, and a letter keeps at most three combining
marks.
"""

import re
from unicodedata import category

MAX_MARKS = 3
"""Combining marks that are kept on a letter. Vietnamese needs two, Hebrew with cantillation three."""

_VISIBLE_FORMAT = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Format characters that are visible (Prepended_Concatenation_Mark; most are Arabic number and verse signs)."""
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u034f\u180b\u180c\u180d\u180f\u17b4\u17b5\ufffe\uffff")
"""Letters and marks that are invisible, and two noncharacters."""
_RESERVED_BLANK = re.compile("[\u2065\ufff0-\ufff8\U000e0000-\U000e0fff]")
"""Code points that Unicode reserves for more of them (Default_Ignorable_Code_Point): tags and their neighbours."""
_UNUSUAL = re.compile("(?:[^ -~\\w]|[\u115f\u1160\u3164\uffa0])+")
"""Characters whose categories are examined. All others are printable ASCII, letters and digits, and stay."""
_LINE_END = "\u2424"
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that terminals obey: controls, and those that change the direction of text."""


def has_control_sequences(text: str) -> bool:
    """Whether the text has characters that a terminal would obey, other than tabs and line ends. Others that `sanitize`
    removes, such as the joiners of emoji and of some languages, are harmless."""
    return _CONTROLS.search(text) is not None


def sanitize(text: str, *, lines: bool = False) -> str:
    """`text` without characters that a terminal would obey or hide. With `lines`, LF stays a line end."""
    if text.isascii() and text.isprintable():
        return text
    return _UNUSUAL.sub(lambda run: _sanitize_run(run[0], starts_text=run.start() == 0, lines=lines), text)


def _sanitize_run(text: str, *, starts_text: bool, lines: bool) -> str:
    """Sanitize characters that need a look at their category. `starts_text` says that no character is before them."""
    kept: list[str] = []
    marks = 0
    for char in text:
        kind = category(char)
        if kind in ("Mn", "Me"):
            marks += 1
            has_base = kept[-1] != "\n" if kept else not starts_text
            if marks > MAX_MARKS or not has_base or _is_hidden_mark(char):
                continue
        else:
            if char != " " and (kind[0] in "CZ" or char in _BLANK or char == "\u2800"):
                char = _visible_form(char, kind, lines)
            if not char:
                continue  # The count of marks goes on: a hidden character between marks must not allow more of them.
            marks = 0
        kept.append(char)
    return "".join(kept)


def _is_hidden_mark(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or char in _BLANK or _RESERVED_BLANK.match(char) is not None


def _visible_form(char: str, kind: str, lines: bool) -> str:
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
