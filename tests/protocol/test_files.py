"""Text files, and the file of the operators' key."""

import stat

import pytest

from protocol.files import KeyRefused, WrongEncoding, check_key_file, decode_text, is_utf16, parse_key

TEXT = 'theme = "nord"\n# für alle\n'
REGULAR = stat.S_IFREG
ME, OTHER = 1000, 1001
LONG = b"0123456789abcdef"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_decode_takes_utf8_with_and_without_a_mark(encoding: str) -> None:
    assert decode_text(TEXT.encode(encoding)) == TEXT
    assert decode_text("".encode(encoding)) == ""


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_decode_of_utf16_says_how_to_save_it(encoding: str) -> None:
    with pytest.raises(WrongEncoding, match=r"^is UTF-16; save it as UTF-8$"):
        decode_text("theme = 1".encode(encoding))


def test_decode_of_latin1_says_where_it_is_not_utf8() -> None:
    with pytest.raises(WrongEncoding, match=r"^is not UTF-8 \(byte 19\); save it as UTF-8$"):
        decode_text(TEXT.encode("latin-1"))


@pytest.mark.parametrize("data", [b"", b"x", b"\0\1\2", b"key with \0 in it", b"\xef\xbb\xbfx"])
def test_is_utf16_is_false_for_other_bytes(data: bytes) -> None:
    assert not is_utf16(data)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_check_key_file_of_ones_own_accepts_it(mode: int) -> None:
    check_key_file("key", REGULAR | mode, ME, ME)


def test_check_key_file_of_root_accepts_it() -> None:
    check_key_file("key", REGULAR | 0o400, 0, ME)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o610, 0o601, 0o777])
def test_check_key_file_open_to_others_tells_the_remedy(mode: int) -> None:
    with pytest.raises(KeyRefused, match=r"my key is open to others; close it with: chmod 600 'my key'"):
        check_key_file("my key", REGULAR | mode, ME, ME)


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK, stat.S_IFDIR])
def test_check_key_file_of_another_kind_refuses_it(kind: int) -> None:
    with pytest.raises(KeyRefused, match="key is not a regular file"):
        check_key_file("key", kind | 0o600, ME, ME)


@pytest.mark.parametrize("user", [ME, 0])
def test_check_key_file_of_another_user_refuses_it(user: int) -> None:
    with pytest.raises(KeyRefused, match="key belongs to another user"):
        check_key_file("key", REGULAR | 0o600, OTHER, user)


@pytest.mark.parametrize("data", [LONG, b" \n" + LONG + b"\r\n", b"\xef\xbb\xbf" + LONG])
def test_parse_key_strips_a_mark_and_white_space(data: bytes) -> None:
    assert parse_key(data, "key") == LONG


def test_parse_key_counts_characters_and_not_bytes() -> None:
    assert parse_key("ключ от комнаты!".encode(), "key")
    with pytest.raises(KeyRefused, match="fewer than 16 characters"):
        parse_key("ключключ".encode(), "key")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "the key is empty"),
        (b"\xef\xbb\xbf \n", "the key is empty"),
        (LONG.decode().encode("utf-16"), "the key is UTF-16; save it as UTF-8"),
        (LONG.decode().encode("utf-16-be"), "the key is UTF-16; save it as UTF-8"),
        (LONG[1:], "the key holds fewer than 16 characters; choose a longer key"),
        (b" " * 99 + LONG[1:], "fewer than 16"),
        (b"x" * (64 * 1024 + 1), "the key is larger than 64 KiB"),
    ],
)
def test_parse_key_that_will_not_do_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(KeyRefused, match=told):
        parse_key(data, "key")
