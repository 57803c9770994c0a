"""KeyNormalizer: converts keys of the kitty keyboard protocol into the one form that Textual's parser takes. Pure.

A terminal may add sub-fields to each field (event types, the key in the shifted and in the base layout), and may send
numbers that are no characters. Source: https://sw.kovidgoyal.net/kitty/keyboard-protocol/
"""

import re

SHIFT, ALT, CTRL, SUPER = 1, 2, 4, 8
TYPING_MODIFIERS = SHIFT | 64 | 128
"""Shift, Caps Lock and Num Lock. With any other modifier a key types no text."""
RELEASE = 3
MODIFY_OTHER_KEYS = 27
"""xterm's form of a key with modifiers: CSI 27 ; modifiers ; key ~"""
_KEY = re.compile(r"\x1b\[([0-9:]{0,40})(?:;([0-9:]{0,20}))?(?:;([0-9:]{0,80}))?([u~A-HPQRS])")
_SS3_WITH_MODIFIERS = re.compile(r"\x1bO(\d)([A-Z])")

_CYRILLIC = "йцукенгшщзхъфывапролджэячсмитьбю"
_GREEK = "ςερτυθιοπασδφγηξκλζχψωβνμ"
_HEBREW = "קראטוןםפשדגכעיחלךףזסבהנמצתץ"
_BASE_LAYOUT = {
    **dict(zip(_CYRILLIC, "qwertyuiop[]asdfghjkl;'zxcvbnm,.", strict=True)),
    **dict(zip(_GREEK, "wertyuiopasdfghjklzxcvbnm", strict=True)),
    **dict(zip(_HEBREW, "ertyuiopasdfghjkl;'zxcvbnm,", strict=True)),
    "і": "s",
    "ї": "]",
    "є": "'",
}
"""Letters to the key at the same place on a US keyboard, for terminals that do not report that key."""


class KeyNormalizer:
    """It remembers which script was typed last. On a Dvorak keyboard the comma is at the place of W, and Ctrl with it
    stays Ctrl+comma. On a Greek keyboard the semicolon is at the place of Q, and Ctrl with it is Ctrl+Q."""

    def __init__(self) -> None:
        self._types_latin = False

    def normalize(self, sequence: str) -> str | None:
        """The same key as `CSI code ; modifiers ; text end`; None if `sequence` is not the press of an existing key.
        A sequence that has this form already is returned unchanged."""
        if match := _SS3_WITH_MODIFIERS.fullmatch(sequence):
            return f"\x1b[1;{match[1]}{match[2]}"
        match = _KEY.fullmatch(sequence)
        if match is None:
            return sequence
        keys, modifier_field, text_field, end = match.groups(default="")
        if end == "~" and keys == str(MODIFY_OTHER_KEYS) and text_field:
            keys, text_field, end = text_field, "", "u"
        modifiers, _, event = modifier_field.partition(":")
        bits = max(int(modifiers or 1) - 1, 0)
        if bits > 0xFF or event[:1] == str(RELEASE):
            return None
        if end != "u":
            return _format_key(keys.partition(":")[0] or ("1" if bits else ""), bits, "", end)
        return self._normalize_character(keys, bits, text_field)

    def _normalize_character(self, keys: str, bits: int, text_field: str) -> str | None:
        code, shifted, base = [*map(_code_point, keys.split(":")), None, None, None][:3]
        if code is None:
            return None
        character = chr(code)
        if character.isalpha():
            self._types_latin = character.isascii()
        text = [one for one in map(_code_point, text_field.split(":")) if one is not None and chr(one).isprintable()]
        if bits & (CTRL | ALT | SUPER) and not text:
            code = ord(self._key_of(character, base))
        elif not text and not bits & ~TYPING_MODIFIERS and character.isprintable() and not _is_private(code):
            capital = character.upper() if bits & (SHIFT | 64) and len(character.upper()) == 1 else character
            text = [shifted if shifted is not None and bits & SHIFT else ord(capital)]
        return _format_key(str(code), bits, ":".join(map(str, text)), "u")

    def _key_of(self, character: str, base: int | None) -> str:
        """The character of the key that is pressed with Ctrl or Alt. If the layout has no Latin letter there, it is the
        US keyboard's."""
        if character.isascii() and (character.isalnum() or not character.isprintable() or self._types_latin):
            return character
        if base is not None:
            return chr(base) if chr(base).isascii() else character
        return _BASE_LAYOUT.get(character, character)


def _format_key(key: str, bits: int, text: str, end: str) -> str:
    modifiers = str(bits + 1) if bits else ""
    return f"\x1b[{';'.join([key, modifiers, text]).rstrip(';')}{end}"


def _code_point(digits: str) -> int | None:
    """The code point that `digits` name; None if they name no character."""
    if not 0 < len(digits) < 8:
        return None
    code = int(digits)
    return code if 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else None


def _is_private(code: int) -> bool:
    """Whether the code names a key that types no text (Unicode's private use area)."""
    return 0xE000 <= code <= 0xF8FF
