"""SlotFile: a state in a file, which outlives a process that is killed.

The file has two slots, written in turn, each with a check sum. A process that is killed while it writes leaves the
other slot whole. The file is given as a descriptor, so it needs no name that other programs could open or replace.
"""

import os
import stat
import zlib
from struct import Struct, error

SLOT_BYTES = 16 * 2**20
_HEADER = Struct("<QII")
"""Revision, bytes of the state, CRC-32 of both and the state."""
_CHECKED = Struct("<QI")


class SlotFile:
    """The newest state in a file, and its place for the next one."""

    def __init__(self, descriptor: int) -> None:
        """Read the newest whole state. Raises OSError where the descriptor is none of a regular file."""
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a regular file")
        self._descriptor = descriptor
        self._revision, self.state = max(self._read(0), self._read(1), key=lambda slot: slot[0])

    def write(self, state: bytes) -> None:
        """Put a state into the older slot. Raises OSError where it cannot be written: the newer slot stays."""
        if len(state) > SLOT_BYTES - _HEADER.size:
            raise OSError(f"the state is larger than {SLOT_BYTES // 2**20} MiB")
        revision = self._revision + 1
        data = _HEADER.pack(revision, len(state), _checksum(revision, state)) + state
        offset = revision % 2 * SLOT_BYTES
        written = 0
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], offset + written)
        self._revision, self.state = revision, state

    def _read(self, slot: int) -> tuple[int, bytes]:
        """The revision and the state in a slot; revision 0 where it holds none that is whole."""
        try:
            revision, size, checksum = _HEADER.unpack(os.pread(self._descriptor, _HEADER.size, slot * SLOT_BYTES))
        except error:
            return 0, b""
        state = os.pread(self._descriptor, min(size, SLOT_BYTES), slot * SLOT_BYTES + _HEADER.size)
        is_whole = len(state) == size and checksum == _checksum(revision, state)
        return (revision, state) if is_whole else (0, b"")


def _checksum(revision: int, state: bytes) -> int:
    return zlib.crc32(state, zlib.crc32(_CHECKED.pack(revision, len(state))))
