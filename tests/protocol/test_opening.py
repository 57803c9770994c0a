"""The first bytes of a connection, whole and in pieces."""

import pytest

from protocol.opening import Opening, read_opening

V1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 5555 2000\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([192, 0, 2, 10, 192, 0, 2, 255]) + b"\x15\xb3\x07\xd0"
BOM = b"\xef\xbb\xbf"
TLS = b"\x16\x03\x01"


@pytest.mark.parametrize("header", [V1, b"PROXY UNKNOWN\r\n", V2, BOM, V1 + BOM, V2 + V1])
@pytest.mark.parametrize("rest", [b"ada\n", b"{", b"\n\n", b"Proxima\n"])
def test_read_opening_of_a_header_skips_it(header: bytes, rest: bytes) -> None:
    assert read_opening(header + rest) == Opening("", len(header))
    for size in range(len(header)):
        assert read_opening(header[:size]) is None


@pytest.mark.parametrize(
    "start", [b"ada\n", b"{", b"\n", b"\r\nada", b"PROXIMA\n", b"PROXY is my name\n", b"\xef\xbb\n"]
)
def test_read_opening_of_a_nickname_skips_nothing(start: bytes) -> None:
    assert read_opening(start) == Opening("", 0)


def test_read_opening_of_tls_behind_a_proxy_names_it() -> None:
    assert read_opening(TLS) == Opening("TLS", 0)
    assert read_opening(V1 + TLS) == Opening("TLS", len(V1))
    assert read_opening(TLS[:1]) is None


@pytest.mark.parametrize("start", [b"P", b"PROXY TCP4 192", b"\r\n", V2[:-1], b"\x16", b"\xef"])
def test_read_opening_without_more_bytes_takes_them_as_text(start: bytes) -> None:
    assert read_opening(start, is_complete=True) == Opening("", 0)


def test_read_opening_of_an_endless_header_gives_up() -> None:
    assert read_opening(b"PROXY " + b"x" * 200) == Opening("", 0)
