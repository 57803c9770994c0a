"""InputTranslator: translates decoded input into the messages that Textual's app takes.

Textual's own parser names the keys and reads mouse reports. It gets whole sequences only, and none that it would split
into letters: a reply to a query is never typed.
"""

import re
from collections.abc import Iterator

from textual import events, messages
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual._xterm_parser import FOCUSIN, FOCUSOUT, IS_ITERM, XTermParser
from textual.keys import Keys
from textual.message import Message

from tui.terminal.decoder import AltKey, ControlSequence, EscapeKey, PastedText, Text, Token, sgr_mouse_report
from tui.terminal.keyboard import KeyNormalizer

MIN_PASTED_CHARACTERS = 100
"""That many printable characters in one read were pasted, not typed. Without bracketed paste, they become one event
instead of hundreds."""
MAX_COLUMNS, MAX_ROWS = 5000, 2000
"""A terminal may report any size, and the screen is kept in memory."""
_MOUSE = re.compile(r"\x1b\[(<?)(\d{1,4});(-?\d{1,6});(-?\d{1,6})([Mm])")
_MODE_REPORT = re.compile(r"\x1b\[\?(\d{1,6});(\d)\$y")
_SIZE_REPORT = re.compile(r"\x1b\[48;(\d{1,5})(?::\d*)*;(\d{1,5})(?::\d*)*(?:;[\d:;]*)?t")
_KEY_WITH_NUMBER = re.compile(r"\x1b\[(\d*)[\d;]*([u~A-HPQRS])")
_CURSOR_REPORT = re.compile(r"\x1b\[\d+;\d+R")
_PRINTABLE_RUN = re.compile(rf"[^\x00-\x1f\x7f]{{{MIN_PASTED_CHARACTERS},}}")


class InputTranslator:
    """Each terminal has its own: it remembers the position of the mouse and the script that is typed."""

    def __init__(self) -> None:
        self._parser = XTermParser()
        self._keyboard = KeyNormalizer()

    def translate(self, token: Token, following: Token | None = None) -> Iterator[Message]:
        """The messages for one token; none for a token without a meaning here. `following` is the next token
        of the same read."""
        match token:
            case Text(text):
                yield from self._translate_text(text)
            case EscapeKey():
                yield events.Key("escape", "\x1b")
            case AltKey(character):
                if f"\x1b{character}" in ANSI_SEQUENCES_KEYS and not _begins_with_text(following):
                    yield from self._keys(f"\x1b{character}")
                else:  # Nothing is bound to Alt and a character: it was Escape, and the character soon after it.
                    yield events.Key("escape", "\x1b")
                    yield from self._keys(character)
            case PastedText(text):
                yield events.Paste(text)
            case ControlSequence(sequence):
                yield from self._translate_sequence(sequence)

    def _translate_text(self, text: str) -> Iterator[Message]:
        at = 0
        for run in _PRINTABLE_RUN.finditer(text):
            yield from self._type(text[at : run.start()])
            yield events.Paste(run[0])
            at = run.end()
        yield from self._type(text[at:])

    def _type(self, text: str) -> Iterator[Message]:
        for character in text:
            yield from self._keys(character)

    def _keys(self, sequence: str) -> Iterator[events.Key]:
        for key in self._parser._sequence_to_key_events(sequence):
            if key.key != Keys.Ignore:
                yield key

    def _translate_sequence(self, sequence: str) -> Iterator[Message]:
        if sequence == FOCUSIN:
            yield events.AppFocus()
        elif sequence == FOCUSOUT:
            yield events.AppBlur()
        elif match := _MOUSE.fullmatch(sequence):
            yield from self._translate_mouse(match)
        elif match := _MODE_REPORT.fullmatch(sequence):
            yield from _translate_mode_report(match[1], int(match[2]))
        elif match := _SIZE_REPORT.fullmatch(sequence):
            if (rows := int(match[1])) and (columns := int(match[2])):
                yield events.Resize.from_dimensions(bounded_size(columns, rows), None)
        elif not _CURSOR_REPORT.fullmatch(sequence):
            key = self._keyboard.normalize(sequence)
            if key is not None and _is_key(key):
                yield from self._keys(key)

    def _translate_mouse(self, match: re.Match[str]) -> Iterator[Message]:
        form, buttons, column, row, _ = match.groups()
        report = match[0] if form else sgr_mouse_report(int(buttons) - 32, int(column), int(row))
        event = self._parser.parse_mouse_code(report)
        if event is not None:
            yield event


def _begins_with_text(token: Token | None) -> bool:
    return isinstance(token, Text) and token.text[:1].isprintable()


def _translate_mode_report(mode: str, setting: int) -> Iterator[Message]:
    if mode == "2026" and setting:
        yield messages.TerminalSupportsSynchronizedOutput()
    elif mode == "2048" and not IS_ITERM:
        yield messages.InBandWindowResize.from_setting_parameter(setting)


def _is_key(sequence: str) -> bool:
    """Whether Textual has a name for the key. It would turn an unknown number into a letter."""
    if sequence in ANSI_SEQUENCES_KEYS:
        return True
    match = _KEY_WITH_NUMBER.fullmatch(sequence)
    return match is not None and (match[2] == "u" or f"{match[1] or 1}{match[2]}" in FUNCTIONAL_KEYS)


def bounded_size(columns: int, rows: int) -> tuple[int, int]:
    """The size of the screen to draw on a terminal that reports this size."""
    return min(max(columns, 1), MAX_COLUMNS), min(max(rows, 1), MAX_ROWS)
