"""Heads of HTTP requests, well and badly formed."""

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.http import (
    MAX_HEAD_BYTES,
    HttpRefused,
    encode_response,
    head_size,
    is_http,
    is_local_host,
    is_same_origin,
    parse_head,
)

HOST = b"Host: 192.0.2.7:2000\r\n"


def refused(head: bytes) -> int:
    """The status with which a head is refused."""
    with pytest.raises(HttpRefused) as error:
        parse_head(head)
    return error.value.status.value


class TestIsHttp:
    @pytest.mark.parametrize(
        "start", [b"GET / HTTP/1.1\r\n", b"HEAD /", b"GET /x", b"POST /", b"OPTIONS *", b"GET http://a/", b"DELETE /"]
    )
    def test_the_beginning_of_a_request_is(self, start: bytes) -> None:
        assert is_http(start) is True
        assert [is_http(start[:size]) for size in range(len(start) + 1)].count(False) == 0

    @pytest.mark.parametrize("start", [b"ada\n", b"{", b"GET\n", b"get /", b"GETTY", b"GET x", b"\x16\x03", b" GET /"])
    def test_other_bytes_are_not(self, start: bytes) -> None:
        assert is_http(start) is False

    @pytest.mark.parametrize("start", [b"", b"G", b"GET", b"GET ", b"GET h", b"P", b"PATCH htt"])
    def test_some_depend_on_later_bytes(self, start: bytes) -> None:
        assert is_http(start) is None


class TestHeadSize:
    def test_counts_up_to_the_blank_line(self) -> None:
        head = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
        assert head_size(head + b"more\r\n\r\n") == len(head)
        assert [head_size(head[:size]) for size in range(len(head))] == [0] * len(head)

    def test_refuses_a_head_above_the_limit(self) -> None:
        assert head_size(b"x" * (MAX_HEAD_BYTES - 1)) == 0
        with pytest.raises(HttpRefused) as error:
            head_size(b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 9000 + b"\r\n\r\n")
        assert error.value.status == 431


class TestParseHead:
    def test_reads_method_path_and_fields(self) -> None:
        head = b"GET /room?x=1 HTTP/1.1\r\n" + HOST + b"Accept:  a \t\r\naccept: b\r\nCOOKIE:\r\n\r\n"
        request = parse_head(head)
        assert (request.method, request.path, request.host) == ("GET", "/room", "192.0.2.7:2000")
        assert request.fields == {"host": "192.0.2.7:2000", "accept": "a, b", "cookie": ""}
        assert request.lists("accept", "b")
        assert not request.lists("accept", "c")
        assert not request.lists("upgrade", "websocket")

    @pytest.mark.parametrize(
        ("lines", "status"),
        [
            ([b"GET / HTTP/1.1"], 400),
            ([b"GET /  HTTP/1.1", b"Host: a.local"], 400),
            ([b"GET / HTTP/2.0", b"Host: a.local"], 400),
            ([b"GET / HTTP/1.1 ", b"Host: a.local"], 400),
            ([b"GET /\x7f HTTP/1.1", b"Host: a.local"], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local", b"Host: b.local"], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local", b"host: a.local"], 400),
            ([b"GET / HTTP/1.1", b"Host: a b"], 400),
            ([b"GET / HTTP/1.1", b"Host: "], 400),
            ([b"GET / HTTP/1.1", b'Host: a"><script>'], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local; script-src *"], 400),
            ([b"GET / HTTP/1.1", b"Host : a.local"], 400),
            ([b"GET / HTTP/1.1", b" Host: a.local"], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local", b" folded: x"], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local", b"X: a\nY: b"], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local", b"X: a\rY: b"], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local", b"X: a\0b"], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local", b"no colon"], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local", b": no name"], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local", b"Origin: a", b"Origin: b"], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local", b"Content-Length: 5"], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local", b"Content-Length: 0", b"Content-Length: 5"], 400),
            ([b"GET / HTTP/1.1", b"Host: a.local", b"Transfer-Encoding: chunked"], 400),
            ([b"POST / HTTP/1.1", b"Host: a.local", b"Content-Length: 5"], 405),
            ([b"OPTIONS * HTTP/1.1", b"Host: a.local"], 405),
            ([b"CONNECT / HTTP/1.1", b"Host: a.local"], 405),
            ([b"GET http://a.local/ HTTP/1.1"], 400),
            ([b"GET http://a.local/ HTTP/1.1", b"Host: a b"], 400),
            ([b"GET http://a@b/ HTTP/1.1", b"Host: a.local"], 400),
        ],
    )
    def test_refuses_a_malformed_head(self, lines: list[bytes], status: int) -> None:
        assert refused(b"\r\n".join([*lines, b"", b""])) == status

    @pytest.mark.parametrize(
        ("target", "path"),
        [("http://b.local:81/room?x", "/room"), ("https://b.local:81", "/"), ("http://b.local:81?x", "/")],
    )
    def test_an_absolute_target_names_the_host(self, target: str, path: str) -> None:
        request = parse_head(f"GET {target} HTTP/1.1\r\nHost: a.local\r\n\r\n".encode())
        assert (request.host, request.path) == ("b.local:81", path)

    def test_refuses_line_ends_without_cr(self) -> None:
        assert refused(b"GET / HTTP/1.1\nHost: a.local\n\n") == 400

    @given(st.binary(max_size=300))
    def test_any_bytes_are_read_or_refused(self, data: bytes) -> None:
        for head in (data, b"GET / HTTP/1.1\r\nHost: a.local\r\n" + data + b"\r\n\r\n"):
            try:
                request = parse_head(head)
            except HttpRefused:
                pass
            else:
                assert request.host.isascii()
                assert not set(request.host) & set(" \"';,\r\n")

    def test_a_head_of_spaces_takes_no_time(self) -> None:
        """A pattern that tries all ways to split the spaces would take minutes."""
        assert refused(b"GET / HTTP/1.1\r\nHost: a.local\r\nX:" + b" " * 8000 + b"\0\r\n\r\n") == 400


class TestIsLocalHost:
    @pytest.mark.parametrize(
        "host",
        ["192.0.2.7", "192.0.2.7:2000", "[::1]:2000", "[2001:db8::7]", "localhost", "LocalHost:80", "ada.local:2000"],
    )
    def test_addresses_and_local_names_are(self, host: str) -> None:
        assert is_local_host(host)

    @pytest.mark.parametrize(
        "host", ["evil.test", "192.0.2.7.evil.test", "1.2.3", "local", "alocal", "[::1", "", "[x]"]
    )
    def test_other_names_are_not(self, host: str) -> None:
        assert not is_local_host(host)

    def test_a_name_that_was_given_is(self) -> None:
        assert is_local_host("Chat.Example.org:443", ("chat.example.ORG",))
        assert is_local_host("chat.example.org.", ("chat.example.org",))
        assert not is_local_host("evil.example.org", ("chat.example.org",))
        assert not is_local_host("a b", ("",)), "the host of --bind :2000 is empty"


class TestIsSameOrigin:
    @pytest.mark.parametrize("origin", ["http://192.0.2.7:2000", "https://192.0.2.7:2000", "HTTP://192.0.2.7:2000"])
    def test_the_host_itself_is(self, origin: str) -> None:
        assert is_same_origin(origin, "192.0.2.7:2000")

    @pytest.mark.parametrize(
        "origin",
        [
            *("null", "", "http://evil.test", "http://192.0.2.7", "http://192.0.2.7:2001", "file://192.0.2.7:2000"),
            *("http://192.0.2.7:2000.evil.test", "http://192.0.2.7:2000/", "192.0.2.7:2000"),
        ],
    )
    def test_others_are_not(self, origin: str) -> None:
        assert not is_same_origin(origin, "192.0.2.7:2000")


class TestEncodeResponse:
    def test_tells_its_size_and_closes(self) -> None:
        head, _, body = encode_response(HTTPStatus.OK, {"X": "y"}, b"hello").partition(b"\r\n\r\n")
        assert body == b"hello"
        assert head.split(b"\r\n")[0] == b"HTTP/1.1 200 OK"
        assert {b"Content-Length: 5", b"Connection: close", b"X: y"} <= set(head.split(b"\r\n"))

    def test_answers_head_without_a_body(self) -> None:
        data = encode_response(HTTPStatus.OK, {}, b"hello", is_head=True)
        assert data.endswith(b"\r\n\r\n")
        assert b"Content-Length: 5" in data
