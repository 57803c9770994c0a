"""WebSite: the answers to a browser: the page, the handshake of its WebSocket, or a reason. Pure but for `load`.

| request | answer |
| --- | --- |
| `GET /` or `HEAD /` | the page, in one response with its styles and its script |
| `GET /room` with an upgrade to a WebSocket | 101, and then the rich dialect in text frames |
| `GET /room` without one | 426 |
| another path, another method | 404, 405 |
| a malformed head, one above the limit, one that does not end in time | 400, 431, 408 |
| another Origin than this host | 403 |
| a Host that could be a stranger's (see `is_local_host`) | 421 |
"""

import base64
import binascii
import gzip
import hashlib
import html
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from protocol.http import HttpRefused, HttpRequest, encode_response, is_local_host, is_same_origin, parse_head
from protocol.websocket import accept_key

FOLDER = Path(__file__).parent / "web"
STYLE, SCRIPT, SSH = "{css}", "{js}", "{ssh}"
"""The parts of page.html that stand for room.css, room.js, and the way in by ssh."""
SSH_HELP = '<p class="quiet">From a laptop, encrypted: <code>ssh -p %d</code>, with the host key <code>%s</code></p>'
COMMENT_LINES = re.compile(r"^ *(?://.*|/\*.*\*/)\n", re.MULTILINE)
"""Lines of room.css and room.js that hold only a comment. The page goes out without them, a tenth smaller."""
SOCKET_VERSION = "13"
RETRY_AFTER_S = 5
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
REFUSAL_STYLE = "body{font:16px/1.5 system-ui,sans-serif;margin:3em auto;padding:0 1em;max-width:30em}"
REFUSAL = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light"><link rel="icon" href="data:,"><title>Three chat rooms</title>
<style>{REFUSAL_STYLE}</style>
<h1>You cannot come in now</h1><p>%s.</p><p><a href="/">Try again</a></p></html>
"""


SHIELD = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Fields of each page: it is not kept, it tells no other site its address, and no other site can hold it."""


class WebAnswer(NamedTuple):
    """The answer to a request."""

    data: bytes
    opens_socket: bool = False
    """A WebSocket follows. Otherwise the connection is closed."""


class WebSite:
    """Answers requests. `names` are names of this host, besides its addresses and those in `.local`."""

    def __init__(self, page: str, style: str, script: str, names: tuple[str, ...] = ()) -> None:
        self._names = names
        self._parts = (page, style, script)
        self._policy = _policy(style, script)
        self._compose("")

    @classmethod
    def load(cls, names: tuple[str, ...] = ()) -> "WebSite":
        """The site with the page of this package. Raises OSError if the package is incomplete."""
        page, style, script = ((FOLDER / name).read_text("utf-8") for name in ("page.html", "room.css", "room.js"))
        return cls(page, COMMENT_LINES.sub("", style), COMMENT_LINES.sub("", script), names)

    def show_ssh(self, port: int, fingerprint: str) -> None:
        """Tell on the page that guests can come by ssh, too."""
        self._compose(SSH_HELP % (port, html.escape(fingerprint)))

    def _compose(self, ssh: str) -> None:
        page, style, script = self._parts
        self._page = page.replace(SSH, ssh).replace(STYLE, style).replace(SCRIPT, script).encode()
        self._gzipped = gzip.compress(self._page, mtime=0)

    def answer(self, head: bytes, unavailable: str = "") -> WebAnswer:
        """The answer to a request with this head. `unavailable` is a reason not to serve the page now."""
        try:
            request = parse_head(head)
            self._check_site(request)
            if request.path == "/room":
                return _open_socket(request)
            if request.path != "/":
                raise HttpRefused(HTTPStatus.NOT_FOUND, "the page is at /")
        except HttpRefused as refused:
            return WebAnswer(refusal(refused, is_head=head.startswith(b"HEAD ")))
        is_head = request.method == "HEAD"
        return WebAnswer(unavailable_page(unavailable, is_head=is_head) if unavailable else self._send_page(request))

    def _check_site(self, request: HttpRequest) -> None:
        """Raises HttpRefused if another site may be behind this request."""
        if not is_local_host(request.host, self._names):
            reason = f"the server does not know itself as {request.host}; --web-name NAME makes it known"
            raise HttpRefused(HTTPStatus.MISDIRECTED_REQUEST, reason)
        origin = request.fields.get("origin")
        if origin is not None and not is_same_origin(origin, request.host):
            raise HttpRefused(HTTPStatus.FORBIDDEN, "another site cannot use this room")

    def _send_page(self, request: HttpRequest) -> bytes:
        is_gzipped = request.lists("accept-encoding", "gzip")
        fields = {
            "Content-Type": HTML,
            "Content-Security-Policy": f"{self._policy}; connect-src 'self' ws://{request.host} wss://{request.host}",
            "Vary": "Accept-Encoding",
            **({"Content-Encoding": "gzip"} if is_gzipped else {}),
            **SHIELD,
        }
        body = self._gzipped if is_gzipped else self._page
        return encode_response(HTTPStatus.OK, fields, body, is_head=request.method == "HEAD")


def refusal(refused: HttpRefused, *, is_head: bool = False) -> bytes:
    """A response with the reason, as text."""
    extra: Mapping[str, str] = {}
    if refused.status is HTTPStatus.METHOD_NOT_ALLOWED:
        extra = {"Allow": "GET, HEAD"}
    elif refused.status is HTTPStatus.UPGRADE_REQUIRED:
        extra = {"Upgrade": "websocket", "Sec-WebSocket-Version": SOCKET_VERSION}
    return encode_response(refused.status, {"Content-Type": TEXT, **extra}, f"{refused}\n".encode(), is_head=is_head)


def unavailable_page(reason: str, *, is_head: bool = False) -> bytes:
    """A response with a small page that tells why no newcomer can come in now."""
    fields = {
        "Content-Type": HTML,
        "Content-Security-Policy": _policy(REFUSAL_STYLE, ""),
        "Retry-After": str(RETRY_AFTER_S),
        **SHIELD,
    }
    body = (REFUSAL % html.escape(reason)).encode()
    return encode_response(HTTPStatus.SERVICE_UNAVAILABLE, fields, body, is_head=is_head)


def _policy(style: str, script: str) -> str:
    """The Content-Security-Policy of a page with this style and this script, without `connect-src`."""
    allowed = f"style-src {_hash(style)}" + (f"; script-src {_hash(script)}" if script else "")
    return f"default-src 'none'; {allowed}; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _open_socket(request: HttpRequest) -> WebAnswer:
    """The answer to the handshake of a WebSocket (RFC 6455, section 4.2). Raises HttpRefused."""
    fields = request.fields
    if not (request.lists("upgrade", "websocket") and request.lists("connection", "upgrade")):
        raise HttpRefused(HTTPStatus.UPGRADE_REQUIRED, "the room is a WebSocket; a browser opens it from the page at /")
    if fields.get("sec-websocket-version") != SOCKET_VERSION:
        raise HttpRefused(HTTPStatus.UPGRADE_REQUIRED, f"the version of WebSocket here is {SOCKET_VERSION}")
    key = fields.get("sec-websocket-key", "").encode("latin-1")
    try:
        is_valid = request.method == "GET" and len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        is_valid = False
    if not is_valid:
        raise HttpRefused(HTTPStatus.BAD_REQUEST, "this is no handshake of a WebSocket")
    head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    return WebAnswer(head.encode() + accept_key(key) + b"\r\n\r\n", opens_socket=True)
