"""Key files and keys that are refused, and the sentences about them."""

import stat

import pytest

from protocol.operator_key import KeyRefused, check_key_file, parse_key

REGULAR = stat.S_IFREG
ME, OTHER = 1000, 1001
LONG = b"0123456789abcdef"


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
