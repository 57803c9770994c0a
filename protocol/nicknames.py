"""Checks nicknames, and gives the form in which the room keeps them. Pure."""

import re
from unicodedata import category, normalize

from protocol.sanitize import sanitize

MAX_NICKNAME = 24
_NICKNAME_SIGNS = frozenset("_-.")
_PLAIN_NICKNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
_CHARACTERS = "a nickname has letters, digits, and the signs _ - ."
_PLAIN_LETTERS = "a nickname is written in its plain letters"
_REASONS = {
    # RFC 5893, section 2, in a sentence.
    "DISALLOWED/bidi_rule": "a nickname from right to left begins with a letter, ends with a letter or a digit, and "
    "mixes in neither letters of the other direction nor two kinds of digits",
    "DISALLOWED/has_compat": _PLAIN_LETTERS,
}
"""Sentences for the errors of precis_i18n that need a reason of their own."""


class NicknameRefused(ValueError):
    """The nickname is not allowed; the message is a sentence with the reason."""


def check_nickname(asked: str, limit: int = MAX_NICKNAME) -> str:
    """The nickname in the form that the room keeps. Raises NicknameRefused.

    The profile is PRECIS UsernameCasePreserved (RFC 8265, section 3.4). The first character is a letter or a digit, the
    others are letters, digits, `_`, `-` and `.`; there are at most `limit` characters.
    """
    if len(asked) <= limit and _PLAIN_NICKNAME.fullmatch(asked):
        return asked  # PRECIS would return it unchanged; most nicknames are like this.
    if not asked.strip():
        raise NicknameRefused("a nickname cannot be empty")
    if len(asked) > 4 * limit:
        raise NicknameRefused(f"a nickname has at most {limit} characters")
    if any(category(char) in ("Zs", "Zl", "Zp") for char in asked):
        raise NicknameRefused("a nickname has no spaces")
    nick = _enforce_profile(asked)
    if len(nick) > limit:
        raise NicknameRefused(f"a nickname has at most {limit} characters")
    if not nick[0].isalnum():
        raise NicknameRefused("a nickname begins with a letter or a digit")
    if normalize("NFKC", nick) != nick:
        raise NicknameRefused(_PLAIN_LETTERS)
    for char in nick:
        if category(char)[0] not in "LMN" and char not in _NICKNAME_SIGNS:
            raise NicknameRefused(_CHARACTERS)
    if sanitize(nick) != nick:
        raise NicknameRefused("a nickname has only letters that can be seen")
    return nick


def _enforce_profile(asked: str) -> str:
    from precis_i18n import get_profile  # The import takes 16 ms, which a client that only reads need not pay.

    try:
        return get_profile("UsernameCasePreserved").enforce(asked)
    except UnicodeEncodeError as error:
        raise NicknameRefused(_REASONS.get(error.reason, _CHARACTERS)) from None
