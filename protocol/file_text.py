"""Decodes a text file that a person wrote. Pure."""

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class WrongEncoding(ValueError):
    """The file is not UTF-8; the message is the end of a sentence about the file."""


def decode(data: bytes) -> str:
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
