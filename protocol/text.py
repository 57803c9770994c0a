"""What a nickname and a line may hold, and how what is unsafe on a terminal becomes visible and harmless.

Terminals obey C0, C1 and bidi controls wherever they come from, and draw invisible characters as nothing, so text is
cleaned when it enters the server and again when a client takes it in. The rules follow Unicode's general categories:
controls become pictures, format characters go, and a letter carries at most three combining marks.
"""

import re
from unicodedata import category, normalize

MAX_MARKS = 3
"""Combining marks kept on one letter; Vietnamese needs two, Hebrew with cantillation three."""
MAX_NICKNAME = 24

_VISIBLE_FORMAT = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Format characters that are drawn (Prepended_Concatenation_Mark: Arabic number and verse signs, mostly)."""
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u034f\u180b\u180c\u180d\u180f\u17b4\u17b5\ufffe\uffff")
"""Letters and marks that are drawn as nothing, and two that are no characters."""
_RESERVED_BLANK = re.compile("[\u2065\ufff0-\ufff8\U000e0000-\U000e0fff]")
"""What Unicode has set aside for more of them (Default_Ignorable_Code_Point): the tags and their neighbours."""
_LINE_END = "\u2424"
_NICKNAME_SIGNS = frozenset("_-.")
_PLAIN_NICKNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
_CHARACTERS = "a nickname has letters, digits, and the signs _ - ."
_PLAIN_LETTERS = "a nickname is written in its plain letters"
_WHY_NOT = {
    # RFC 5893, section 2, in a sentence.
    "DISALLOWED/bidi_rule": "a nickname from right to left begins with a letter, ends with a letter or a digit, and "
    "mixes in neither letters of the other direction nor two kinds of digits",
    "DISALLOWED/has_compat": _PLAIN_LETTERS,
}
"""What precis_i18n finds wrong with characters that look as if they would do."""


_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What terminals obey: controls, and what turns the direction of text."""


class NicknameRefused(ValueError):
    """The nickname will not do; the message is a sentence that says why."""


def commands_terminals(text: str) -> bool:
    """Whether there is something in it that a terminal would obey, besides tabs and line ends. What else `harmless`
    drops, as the joiners of emoji and of some languages, means no harm."""
    return _OBEYED.search(text) is not None


def harmless(text: str, *, lines: bool = False) -> str:
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


def check_nickname(asked: str, limit: int = MAX_NICKNAME) -> str:
    """The nickname in the form the room keeps, or NicknameRefused.

    PRECIS UsernameCasePreserved (RFC 8265, section 3.4), a letter or digit first, then letters, digits, `_`, `-` and
    `.`; at most `limit` characters.
    """
    if len(asked) <= limit and _PLAIN_NICKNAME.fullmatch(asked):
        return asked  # PRECIS would return it as it is; most are like this.
    if not asked.strip():
        raise NicknameRefused("a nickname cannot be empty")
    if len(asked) > 4 * limit:
        raise NicknameRefused(f"a nickname has at most {limit} characters")
    if any(category(char) in ("Zs", "Zl", "Zp") for char in asked):
        raise NicknameRefused("a nickname has no spaces")
    nick = _prepared(asked)
    if len(nick) > limit:
        raise NicknameRefused(f"a nickname has at most {limit} characters")
    if not nick[0].isalnum():
        raise NicknameRefused("a nickname begins with a letter or a digit")
    if normalize("NFKC", nick) != nick:
        raise NicknameRefused(_PLAIN_LETTERS)
    for char in nick:
        if category(char)[0] not in "LMN" and char not in _NICKNAME_SIGNS:
            raise NicknameRefused(_CHARACTERS)
    if harmless(nick) != nick:
        raise NicknameRefused("a nickname has only letters that can be seen")
    return nick


def _prepared(asked: str) -> str:
    from precis_i18n import get_profile  # 16 ms: not for a client that only reads

    try:
        return get_profile("UsernameCasePreserved").enforce(asked)
    except UnicodeEncodeError as error:
        raise NicknameRefused(_WHY_NOT.get(error.reason, _CHARACTERS)) from None


def counted(number: float, one: str, more: str = "") -> str:
    """`1 line`, `12 lines`, `0.5 lines`. `more` is the plural where an s does not make it."""
    return f"{number:.15g} {one if number == 1 else more or one + 's'}"


def size(amount: int) -> str:
    """Bytes as people read them: `430 KiB`, `21.3 MiB`; `–` for none."""
    if amount <= 0:
        return "–"
    return f"{amount / 1024:,.0f} KiB" if amount < 2**20 else f"{amount / 2**20:,.1f} MiB"
