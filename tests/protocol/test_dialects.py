import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import json_lines, plain_text
from protocol.dialects import PLAIN, RICH, detect_dialect, other_protocol
from protocol.messages import Event
from tests.protocol.strategies import events

HTTP = [b"GET / HTTP/1.1\r\nHost: room:2000\r\n\r\n", b"POST /x?y=z HTTP/1.0\r\n", b"CONNECT a:443 HTTP/1.1\r\n"]
HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
LONG = b"POST /" + b"x" * 100
SSH = b"SSH-2.0-OpenSSH_9.9\r\n"


@pytest.mark.parametrize("line", [b"{", b'{"type":"hello"}', b"{not json"])
def test_detect_dialect_of_a_brace_is_rich(line: bytes) -> None:
    assert detect_dialect(line) is RICH


@given(st.binary().filter(lambda line: not line.startswith(b"{")))
def test_detect_dialect_of_other_bytes_is_plain(line: bytes) -> None:
    assert detect_dialect(line) is PLAIN


@pytest.mark.parametrize(
    ("start", "name"),
    [*((request, "HTTP") for request in HTTP), (HTTP_2, "HTTP"), (LONG, "HTTP"), (SSH, "SSH"), (b"SSH-1.99-x", "SSH")],
)
def test_other_protocol_names_it(start: bytes, name: str) -> None:
    assert other_protocol(start) == name


@pytest.mark.parametrize(
    "start",
    [b"", b"ada", b"GET", b"GET / and so on", b"get / HTTP/1.1", b"SSH", b"\x16", b'{"type":"hello"}'],
)
def test_other_protocol_of_typed_text_is_empty(start: bytes) -> None:
    assert other_protocol(start) == ""


@given(events)
def test_encode_is_the_one_of_the_dialect(event: Event) -> None:
    assert RICH.encode(event) == json_lines.encode(event)
    assert PLAIN.encode(event) == plain_text.encode(event)
