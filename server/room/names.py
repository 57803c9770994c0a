"""Which nicknames are the same to a reader's eye, and which are free.

Two nicknames collide when they are alike after case folding, or drawn alike (the skeleton of Unicode UTS #39, by the
confusables data of `confusable_homoglyphs`).
"""

from collections.abc import Container
from unicodedata import bidirectional, normalize

from confusable_homoglyphs import confusables


def _prototypes() -> dict[int, str]:
    """Each character that looks like another, with the one that stands for both."""
    table: dict[int, str] = {}
    for char, alike in confusables.confusables_data.items():
        # A prototype lists all that look like it; what looks like a prototype lists just that. Where two list only
        # each other, the smaller stands for both.
        if len(char) == 1 and len(alike) == 1:
            other = alike[0]["c"]
            mutual = len(confusables.confusables_data.get(other, ())) == 1
            table[ord(char)] = min(char, other) if mutual else other
    return table


_TABLE = _prototypes()
_ARABIC_DIGITS = {ord("0") + digit: chr(0x0660 + digit) for digit in range(10)}


def keys(nick: str) -> frozenset[str]:
    """What a nickname occupies: two nicknames that share a key cannot both be in the room.

    Folding first and drawing first differ (`I` folds to `i`, but is drawn like `l`), so both count.
    """
    folded = normalize("NFKC", nick).casefold()
    return frozenset((_drawn(folded), _drawn(nick).casefold(), folded))


def _drawn(text: str) -> str:
    return normalize("NFC", normalize("NFD", text).translate(_TABLE))


def free_like(nick: str, taken: Container[str], limit: int) -> str:
    """One of `nick2`, `nick3`, … none of whose keys is in `taken`, at most `limit` characters long.

    It is the first if those taken are in a row. Hundreds may have the same name, so it doubles and then halves.
    """
    # A name from right to left may not have both kinds of digits (RFC 5893, section 2, rule 4).
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
