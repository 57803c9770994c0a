"""Removes telnet commands and editing keys from the bytes of the plain dialect, before lines are made (RFC 854).

A telnet client negotiates options, marks Ctrl-C in the stream, and may send each key at once, so that a backspace
arrives as a byte. The decoder refuses each option, because the room needs none. A CR ends a line, with a LF or NUL
after it. The state is a struct of plain values: a read may end within a sequence, and the state can be sent to another
process.
"""

import re
from typing import NamedTuple

from msgspec import Struct

_TEXT, _CR, _IAC, _OPTION, _SUBNEGOTIATION, _SUBNEGOTIATION_IAC = range(6)
"""The states: what the next byte belongs to."""

_BREAK, _INTERRUPT, _ARE_YOU_THERE, _ERASE_CHARACTER, _ERASE_LINE, _SB = 243, 244, 246, 247, 248, 250
_FIRST_COMMAND = 236
"""EOF (RFC 1184). Those of RFC 854 begin at 240."""
_WILL, _WONT, _DO, _DONT, _IAC_BYTE = 251, 252, 253, 254, 255
_TIMING_MARK = 6
"""RFC 860. After Ctrl-C, some clients discard all output until the answer."""
_PRESENT = b"*** yes, the room is here\n"
_LF, _CR_BYTE, _NUL = 10, 13, 0
_KEYS = {3: _INTERRUPT, 8: _ERASE_CHARACTER, 21: _ERASE_LINE, 127: _ERASE_CHARACTER}
"""The commands that Ctrl-C, Ctrl-H, Ctrl-U and Delete stand for; a client without telnet sends these bytes."""

_RUN = re.compile(rb"[^\x03\x08\r\x15\x7f\xff]+")
_SPECIAL = re.compile(rb"[\x03\x08\x15\x7f\xff]|\r(?!\n)")


class Decoded(NamedTuple):
    """`line` is the unfinished line and everything after it, edited. `answer` is for the peer."""

    line: bytes
    answer: bytes
    removed: int
    """The number of bytes that were commands and keys."""


class TelnetDecoder(Struct):
    """Decodes a stream of bytes."""

    state: int = _TEXT
    verb: int = 0

    def is_idle_for(self, data: bytes) -> bool:
        """Whether `data` holds nothing to decode. LineBuffer removes the CR of a CR LF."""
        return self.state == _TEXT and _SPECIAL.search(data) is None

    def decode(self, data: bytes, line: bytes, limit: int) -> Decoded:
        """Decode bytes that follow an unfinished `line`. Keys do not edit a line above `limit` bytes: it is refused."""
        out, answer = bytearray(line), bytearray()
        start = removed = offset = 0
        while offset < len(data):
            if self.state == _TEXT and (run := _RUN.match(data, offset)):
                offset = run.end()
                out += run[0]
                start = max(start, out.rfind(b"\n", start) + 1)
                continue
            if self.state == _SUBNEGOTIATION:
                end = data.find(_IAC_BYTE, offset)
                end = len(data) if end < 0 else end + 1
                removed += end - offset
                offset = end
                self.state = _SUBNEGOTIATION_IAC if data[end - 1] == _IAC_BYTE else _SUBNEGOTIATION
                continue
            byte = data[offset]
            if self.state == _CR:
                self.state = _TEXT
                offset += byte in (_LF, _NUL)
                continue
            offset += 1
            if self.state == _TEXT and byte == _CR_BYTE:
                out += b"\n"
                start, self.state = len(out), _CR
                continue
            if self.state == _IAC and byte < _FIRST_COMMAND:
                out.append(_IAC_BYTE)  # This was no command: the byte is text that is not UTF-8.
                offset -= 1
                self.state = _TEXT
                continue
            removed += 1
            command = self._step(byte)
            if command == _IAC_BYTE:
                out.append(_IAC_BYTE)  # A doubled IAC is one byte of text.
            elif command == _ARE_YOU_THERE:
                answer += _PRESENT
            elif command in (_WILL, _DO):
                answer += _refusal(command, byte)
            elif len(out) - start <= limit:
                _edit(out, start, command)
        return Decoded(bytes(out), bytes(answer), removed)

    def _step(self, byte: int) -> int:
        """Process a byte that is not text. Returns the command that it completes, or 0."""
        if self.state == _TEXT:
            self.state = _IAC if byte == _IAC_BYTE else _TEXT
            return _KEYS.get(byte, 0)
        if self.state == _OPTION:
            self.state = _TEXT
            return self.verb
        if self.state == _SUBNEGOTIATION_IAC and byte == _IAC_BYTE:
            self.state = _SUBNEGOTIATION
            return 0
        # A command within a subnegotiation ends it, and is obeyed.
        if byte in (_WILL, _WONT, _DO, _DONT):
            self.state, self.verb = _OPTION, byte
            return 0
        self.state = _SUBNEGOTIATION if byte == _SB else _TEXT
        return byte


def _refusal(verb: int, option: int) -> bytes:
    """The answer to WILL or DO. WONT and DONT have no answer, so no loop can begin (RFC 854)."""
    if verb == _WILL:
        return bytes((_IAC_BYTE, _DONT, option))
    return bytes((_IAC_BYTE, _WILL if option == _TIMING_MARK else _WONT, option))


def _edit(out: bytearray, start: int, command: int) -> None:
    """Execute an editing command on the unfinished line, which begins at `start`."""
    if command in (_INTERRUPT, _BREAK, _ERASE_LINE):
        del out[start:]
    elif command == _ERASE_CHARACTER and len(out) > start:
        end = len(out) - 1
        while end > start and out[end] & 0xC0 == 0x80:  # A continuation byte of UTF-8.
            end -= 1
        del out[end:]
