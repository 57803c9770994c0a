"""Finds nicknames that look the same to a reader, and free nicknames.

Two nicknames collide if they are equal after case folding, or look alike: they have the same skeleton (Unicode UTS #39,
with the confusables data of `confusable_homoglyphs`).
"""

from collections.abc import Container
from unicodedata import bidirectional, normalize

from confusable_homoglyphs import confusables


def _prototypes() -> dict[int, str]:
    """From each character that looks like another to the one that represents both."""
    table: dict[int, str] = {}
    for char, alike in confusables.confusables_data.items():
        # A prototype lists all characters that look like it; each of these lists only the prototype. If two characters
        # list only each other, the smaller one represents both.
        if len(char) == 1 and len(alike) == 1:
            other = alike[0]["c"]
            mutual = len(confusables.confusables_data.get(other, ())) == 1
            table[ord(char)] = min(char, other) if mutual else other
    return table


_TABLE = _prototypes()
_ARABIC_DIGITS = {ord("0") + digit: chr(0x0660 + digit) for digit in range(10)}


def keys(nick: str) -> frozenset[str]:
    """The keys of a nickname: two nicknames that share a key cannot both be in the room.

    The order of folding and skeleton matters (`I` folds to `i`, but looks like `l`), so there is a key for each order.
    """
    folded = normalize("NFKC", nick).casefold()
    return frozenset((_skeleton(folded), _skeleton(nick).casefold(), folded))


def _skeleton(text: str) -> str:
    return normalize("NFC", normalize("NFD", text).translate(_TABLE))


def find_free_like(nick: str, taken: Container[str], limit: int) -> str:
    """A free nickname among `nick2`, `nick3` and so on, at most `limit` characters long. Its keys are not in `taken`.

    It is the first free one if the taken numbers have no gap. Hundreds of members may have the same nickname, so this
    is a binary search.
    """
    # A right-to-left name must not mix both kinds of digits (RFC 5893, section 2, rule 4).
    digits = _ARABIC_DIGITS if any(bidirectional(char) == "AN" for char in nick) else {}

    def numbered(number: int) -> str:
        tail = str(number).translate(digits)
        return nick[: limit - len(tail)] + tail

    def is_free(number: int) -> bool:
        return not any(key in taken for key in keys(numbered(number)))

    low, high = 1, 2
    while not is_free(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_free(middle) else (middle, high)
    return numbered(high)
