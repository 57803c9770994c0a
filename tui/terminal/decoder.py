"""InputDecoder: splits the bytes that a terminal sends into text, keys, control sequences and pastes. Pure.

A terminal sends more than the keys that were pressed: replies to queries, also to those of another program; reports
of the mouse; half of a sequence or of a paste when a connection was cut. Replies are dropped. No input raises an
exception, or delays the decoding of later keys for longer than a timeout. Sources: ECMA-48 for the form
of sequences, xterm's ctlseqs for mouse reports and bracketed paste.
"""

import re
from codecs import getincrementaldecoder

from msgspec import Struct

ESCAPE_TIMEOUT_S = 0.1
"""After this time an ESC byte is the Escape key."""
SEQUENCE_TIMEOUT_S = 0.5
"""After this time without a byte, an unfinished sequence is dropped."""
PASTE_TIMEOUT_S = 3.0
"""After this time without a byte, the end mark of a paste counts as lost."""
MAX_SEQUENCE_BYTES = 256
MAX_STRING_BYTES = 1024 * 1024
MAX_PASTE_BYTES = 4 * 1024 * 1024
"""The bytes beyond are dropped: no field takes as many."""

PASTE_MARK = re.compile(rb"\x1b\[20([01])~")
PASTE_MARK_BYTES = 6
_SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_UNFINISHED_SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*")
_SS3 = re.compile(rb"\x1bO[0-9;]*[ @-~]")
_UNFINISHED_SS3 = re.compile(rb"\x1bO[0-9;]*")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_STRING_BEGINS = {ord("]"): b"0123456789lLI", ord("P"): b"0123456789>!$+=", ord("_"): b"G"}
"""The introducers of OSC, DCS and APC, each with the bytes that may follow in a reply. With any other byte behind it,
the introducer was typed with Alt."""
_ESC = 0x1B
UNFINISHED = -1


class Text(Struct, frozen=True):
    """Characters as they were typed, control characters among them. Bytes that are not UTF-8 become U+FFFD."""

    text: str


class EscapeKey(Struct, frozen=True):
    """The Escape key."""


class AltKey(Struct, frozen=True):
    """Alt and one character."""

    character: str


class ControlSequence(Struct, frozen=True):
    """A control sequence (CSI) or a function key (SS3), with its ESC."""

    text: str


class PastedText(Struct, frozen=True):
    """A bracketed paste, without its marks."""

    text: str


Token = Text | EscapeKey | AltKey | ControlSequence | PastedText


class InputDecoder:
    """`feed` takes the bytes as they arrive. Call `expire` once `deadline` has passed without any."""

    def __init__(self, escape_timeout: float = ESCAPE_TIMEOUT_S) -> None:
        """`escape_timeout` is in seconds."""
        self._escape_timeout = escape_timeout
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._rest = b""
        """The unfinished sequence at the end of the bytes received."""
        self._paste: bytearray | None = None
        self._string_bytes: int | None = None
        """The length so far of the string (OSC, DCS, APC) that is being dropped; None outside of a string."""
        self._tokens: list[Token] = []
        self.deadline: float | None = None
        """The time to call `expire`, by the clock that `feed` is given; None while nothing is unfinished."""

    def feed(self, data: bytes, now: float) -> list[Token]:
        """The tokens that `data` completes, in order."""
        data, self._rest = self._rest + data, b""
        at = 0
        while at < len(data):
            if self._paste is not None:
                taken = self._take_paste(data, at)
            elif self._string_bytes is not None:
                taken = self._take_string(data, at)
            elif data[at] == _ESC:
                taken = self._take_sequence(data, at)
            else:
                taken = self._take_text(data, at)
            if taken < 0:
                self._rest = data[at : at + MAX_SEQUENCE_BYTES]
                break
            at = taken
        self._set_deadline(now)
        return self._drain()

    def expire(self, now: float) -> list[Token]:
        """The tokens that count as complete because no byte came until `deadline`. Empty before that."""
        if self.deadline is None or now < self.deadline:
            return []
        rest, self._rest = self._rest, b""
        if self._paste is not None:
            self._end_paste()
        elif self._string_bytes is not None:
            self._string_bytes = None
        elif rest == b"\x1b":
            self._tokens.append(EscapeKey())
        elif len(rest) == 2:
            self._tokens.append(AltKey(chr(rest[1]) if rest[1] < 0x80 else "\ufffd"))
        else:
            self._end_unfinished(rest)
        self._set_deadline(now)
        return self._drain()

    def _drain(self) -> list[Token]:
        tokens, self._tokens = self._tokens, []
        return tokens

    def _set_deadline(self, now: float) -> None:
        if self._paste is not None:
            self.deadline = now + PASTE_TIMEOUT_S
        elif self._rest == b"\x1b" and self._string_bytes is None:
            self.deadline = now + self._escape_timeout
        elif self._rest or self._string_bytes is not None:
            self.deadline = now + SEQUENCE_TIMEOUT_S
        else:
            self.deadline = None

    # Each of these takes the token that begins at `at`, and returns the index of the next one, or UNFINISHED
    # if the token needs more bytes.

    def _take_text(self, data: bytes, at: int) -> int:
        end = data.find(b"\x1b", at)
        if text := self._decode(data[at:] if end < 0 else data[at:end], end >= 0):
            self._tokens.append(Text(text))
        return len(data) if end < 0 else end

    def _take_sequence(self, data: bytes, at: int) -> int:
        if text := self._decode(b"", True):  # ESC cuts a character short.
            self._tokens.append(Text(text))
        following = data[at + 1 : at + 3]
        if not following:
            return UNFINISHED
        match following[0]:
            case 0x1B:
                self._tokens.append(EscapeKey())
                return at + 1
            case 0x5B:  # [
                return self._take_csi(data, at)
            case 0x4F:  # O
                return self._take_form(data, at, _SS3, _UNFINISHED_SS3)
            case introducer if introducer in _STRING_BEGINS:
                if len(following) < 2:
                    return UNFINISHED
                if following[1] in _STRING_BEGINS[introducer]:
                    self._string_bytes = 0
                    return at + 2
        return self._take_alt(data, at)

    def _take_alt(self, data: bytes, at: int) -> int:
        lead = data[at + 1]
        length = 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        character = data[at + 1 : at + 1 + length]
        if len(character) < length:
            return UNFINISHED
        try:
            self._tokens.append(AltKey(character.decode()))
        except UnicodeDecodeError:
            self._tokens.append(AltKey("\ufffd"))
            return at + 2
        return at + 1 + length

    def _take_csi(self, data: bytes, at: int) -> int:
        third = data[at + 2 : at + 3]
        if third == b"[":  # The Linux console's F1 to F5.
            if len(data) < at + 4:
                return UNFINISHED
            self._tokens.append(ControlSequence(data[at : at + 4].decode("ascii", "replace")))
            return at + 4
        if third == b"M":  # A mouse report in X10's form: three bytes follow, not always UTF-8.
            if len(data) < at + 6:
                return UNFINISHED
            self._tokens.append(ControlSequence(sgr_mouse_report(*(byte - 32 for byte in data[at + 3 : at + 6]))))
            return at + 6
        return self._take_form(data, at, _SEQUENCE, _UNFINISHED_SEQUENCE)

    def _take_form(self, data: bytes, at: int, form: re.Pattern[bytes], unfinished: re.Pattern[bytes]) -> int:
        if match := form.match(data, at):
            sequence = match[0]
            if sequence == b"\x1b[200~":
                self._paste = bytearray()
            elif len(sequence) < MAX_SEQUENCE_BYTES:
                self._tokens.append(ControlSequence(sequence.decode("ascii")))
            return match.end()
        begun = unfinished.match(data, at)
        if begun is None or begun.end() == len(data):
            return UNFINISHED
        self._end_unfinished(begun[0])
        return begun.end()

    def _end_unfinished(self, begun: bytes) -> None:
        """End a sequence that was begun, at a byte that no sequence may hold or after a timeout."""
        if len(begun) == 2:
            self._tokens.append(AltKey(chr(begun[1])))
        elif begun.startswith((b"\x1b[", b"\x1bO")) and begun.isascii():
            self._tokens.append(ControlSequence(begun.decode("ascii")))  # rxvt's end in `$`, as `CSI 23 $`.

    def _take_string(self, data: bytes, at: int) -> int:
        """Drop a string up to its end: BEL or ST. No reply holds another control character: that is a key, and ends the
        string too."""
        control = _CONTROL.search(data, at)
        end = len(data) if control is None else control.start()
        self._string_bytes = (self._string_bytes or 0) + end - at
        if control is None:
            if self._string_bytes > MAX_STRING_BYTES:
                self._string_bytes = None
            return end
        if data[end] == 0x07:
            self._string_bytes = None
            return end + 1
        if data[end] == _ESC:
            if len(data) == end + 1:
                return UNFINISHED if end == at else end
            end += 2 if data[end + 1] == ord("\\") else 0
        self._string_bytes = None
        return end

    def _take_paste(self, data: bytes, at: int) -> int:
        paste = self._paste
        assert paste is not None
        searched_to = max(0, len(paste) - PASTE_MARK_BYTES + 1)
        before = len(paste)
        paste += data[at:]
        mark = PASTE_MARK.search(paste, searched_to)
        if mark is None:
            if len(paste) > MAX_PASTE_BYTES + PASTE_MARK_BYTES:
                del paste[MAX_PASTE_BYTES:-PASTE_MARK_BYTES]
            return len(data)
        taken = mark.end() - before
        begins_another = mark[1] == b"0"  # The end mark of the one before it was lost.
        del paste[mark.start() :]
        self._end_paste()
        if begins_another:
            self._paste = bytearray()
        return at + taken

    def _end_paste(self) -> None:
        if self._paste:
            self._tokens.append(PastedText(self._paste.decode("utf-8", "replace").replace("\x00", "")))
        self._paste = None


def sgr_mouse_report(buttons: int, column: int, row: int) -> str:
    """A mouse report of X10's or urxvt's form, in the SGR form. The SGR form names the button that was released; the
    others do not, so the first button is named."""
    released = buttons & 0b1100011 == 0b11
    return f"\x1b[<{buttons & ~0b11 if released else buttons};{column};{row}{'m' if released else 'M'}"
