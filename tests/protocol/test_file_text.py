import pytest

from protocol.file_text import WrongEncoding, decode, is_utf16

TEXT = 'theme = "nord"\n# für alle\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_decode_takes_utf8_with_and_without_a_mark(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)) == TEXT
    assert decode("".encode(encoding)) == ""


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_decode_of_utf16_says_how_to_save_it(encoding: str) -> None:
    with pytest.raises(WrongEncoding, match=r"^is UTF-16; save it as UTF-8$"):
        decode("theme = 1".encode(encoding))


def test_decode_of_latin1_says_where_it_is_not_utf8() -> None:
    with pytest.raises(WrongEncoding, match=r"^is not UTF-8 \(byte 19\); save it as UTF-8$"):
        decode(TEXT.encode("latin-1"))


@pytest.mark.parametrize("data", [b"", b"x", b"\0\1\2", b"key with \0 in it", b"\xef\xbb\xbfx"])
def test_is_utf16_is_false_for_other_bytes(data: bytes) -> None:
    assert not is_utf16(data)
