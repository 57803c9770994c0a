"""Reads the bytes of files that a person made: text, and the operators' key. Pure."""

import stat
from shlex import quote

from protocol.framing import BYTE_ORDER_MARK

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
MIN_KEY_CHARACTERS = 16
MAX_KEY_FILE_BYTES = 64 * 1024


class WrongEncoding(ValueError):
    """The file is not UTF-8; the message is the end of a sentence about the file."""


def decode_text(data: bytes) -> str:
    """The text, without a byte order mark. Raises WrongEncoding."""
    if is_utf16(data):
        raise WrongEncoding("is UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongEncoding(f"is not UTF-8 (byte {error.start + 1}); save it as UTF-8") from None


def is_utf16(data: bytes) -> bool:
    """Whether the bytes begin with a UTF-16 mark, or every other byte is zero, as in ASCII text in UTF-16."""
    return data.startswith(UTF16_MARKS) or (len(data) > 1 and not (any(data[::2]) and any(data[1::2])))


class KeyRefused(ValueError):
    """The key or its file is refused; the message is a sentence with the reason and the remedy."""


def check_key_file(path: str, mode: int, owner: int, user: int) -> None:
    """Raise KeyRefused unless only `user` and root can use a file of this mode and owner (as in `stat_result`)."""
    if not stat.S_ISREG(mode):
        raise KeyRefused(f"the operator's key file {path} is not a regular file; - reads a key from standard input")
    if owner not in (user, 0):  # A service manager or an administrator may have made it.
        raise KeyRefused(f"the operator's key file {path} belongs to another user; make one of your own")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyRefused(f"the operator's key file {path} is open to others; close it with: chmod 600 {quote(path)}")


def parse_key(data: bytes, source: str) -> bytes:
    """The key in `data`, without a byte order mark and surrounding white space. Raises KeyRefused, with `source` in the
    message."""
    if len(data) > MAX_KEY_FILE_BYTES:
        raise KeyRefused(f"the {source} is larger than {MAX_KEY_FILE_BYTES // 1024} KiB")
    if is_utf16(data):
        raise KeyRefused(f"the {source} is UTF-16; save it as UTF-8")
    key = data.removeprefix(BYTE_ORDER_MARK).strip()
    if not key:
        raise KeyRefused(f"the {source} is empty; a key has {MIN_KEY_CHARACTERS} characters or more")
    if len(key.decode(errors="replace")) < MIN_KEY_CHARACTERS:
        raise KeyRefused(f"the {source} holds fewer than {MIN_KEY_CHARACTERS} characters; choose a longer key")
    return key
