"""HTTP/1.1 (RFC 9112), as far as a browser needs it to fetch a page and to open a WebSocket. Pure.

A connection carries one request. The answer closes it, so no bytes after the head are ever taken for a second request.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import NamedTuple

MAX_HEAD_BYTES = 8192
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH")
_STARTS = tuple(method + b" " + target for method in _METHODS for target in (b"/", b"*", b"http"))
"""The first bytes of a request. A nickname has no slash."""
_REQUEST_LINE = re.compile(r"([A-Z]{1,20}) ([!-~]{1,2048}) HTTP/1\.[01]")
_ABSOLUTE_TARGET = re.compile(r"https?://([^/?]*)(.*)")
"""RFC 9112, section 3.2.2: its host counts, not the one in the Host field."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~\x80-\xff]*")
"""RFC 9110, section 5.5. A folded line begins with white space, so it has no name."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,253})(?::[0-9]{1,5})?")
"""A host that is safe to repeat in a header."""


class HttpRefused(Exception):
    """A request that is not answered as the client wishes; the message is a sentence."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class HttpRequest(NamedTuple):
    """The head of a request."""

    method: str
    path: str
    """The target without its query."""
    fields: Mapping[str, str]
    """The header fields. Names are in lower case, and the values of a repeated field are joined by commas."""

    @property
    def host(self) -> str:
        """The value of the Host field."""
        return self.fields["host"]

    def lists(self, name: str, token: str) -> bool:
        """Whether a field is a list that has this token, such as `Connection: keep-alive, Upgrade`."""
        return token in [item.strip().lower() for item in self.fields.get(name, "").split(",")]


def is_http(start: bytes) -> bool | None:
    """Whether bytes are the beginning of a request; None if it depends on later bytes."""
    if start.startswith(_STARTS):
        return True
    return None if any(one.startswith(start) for one in _STARTS) else False


def head_size(data: bytes) -> int:
    """The size of the head that these bytes begin with, and 0 if its end is still to come. Raises HttpRefused for a
    head above the limit."""
    match = _HEAD_END.search(data, 0, MAX_HEAD_BYTES)
    if match is None and len(data) >= MAX_HEAD_BYTES:
        raise HttpRefused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"a head has at most {MAX_HEAD_BYTES} bytes")
    return match.end() if match else 0


def parse_head(head: bytes) -> HttpRequest:
    """The request in a whole head. Raises HttpRefused for a malformed one, and for one with a body."""
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    request_line = _REQUEST_LINE.fullmatch(first)
    if request_line is None:
        raise HttpRefused(HTTPStatus.BAD_REQUEST, "this is no request of HTTP/1.1")
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise HttpRefused(HTTPStatus.BAD_REQUEST, "a header field is malformed")
        if name in fields and name in ("host", "origin", "content-length", "transfer-encoding", "sec-websocket-key"):
            raise HttpRefused(HTTPStatus.BAD_REQUEST, f"there is more than one {name}")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    target, hosts = request_line[2], [fields.get("host", "")]
    if (absolute := _ABSOLUTE_TARGET.fullmatch(target)) is not None:
        hosts.append(absolute[1])
        target = absolute[2]
    if not all(map(_HOST.fullmatch, hosts)):
        raise HttpRefused(HTTPStatus.BAD_REQUEST, "there is no valid Host")
    if request_line[1] not in ("GET", "HEAD"):
        raise HttpRefused(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD are allowed")
    if "transfer-encoding" in fields or fields.get("content-length", "0") != "0":
        raise HttpRefused(HTTPStatus.BAD_REQUEST, "a request has no body here")
    fields["host"] = hosts[-1]
    return HttpRequest(request_line[1], target.partition("?")[0] or "/", fields)


def is_local_host(host: str, names: tuple[str, ...] = ()) -> bool:
    """Whether a Host names this server in a way that no stranger can: as an IP address, as `localhost`, in `.local`, or
    by one of `names`.

    Otherwise a web site could let its own name point to this server, and its scripts would count as the server's own
    (DNS rebinding).
    """
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match[1].lower().removesuffix(".")
    if name == "localhost" or name.endswith((".local", ".localhost")) or name in [one.lower() for one in names]:
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_same_origin(origin: str, host: str) -> bool:
    """Whether a page from this origin came from this host. The scheme is not compared: a proxy may add TLS."""
    scheme, _, place = origin.lower().partition("://")
    return scheme in ("http", "https") and place == host.lower()


def encode_response(status: HTTPStatus, fields: Mapping[str, str], body: bytes, *, is_head: bool = False) -> bytes:
    """A whole response, after which the connection is closed. An answer to HEAD has no body, but tells its size."""
    own = {"Content-Length": str(len(body)), "Connection": "close", "X-Content-Type-Options": "nosniff"}
    head = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        *(f"{name}: {value}" for name, value in (own | dict(fields)).items()),
    ]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + (b"" if is_head else body)
