"""The answers to browsers, without sockets."""

import base64
import gzip
import hashlib
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.web_site import WebAnswer, WebSite, unavailable_page

SITE = WebSite("<style>{css}</style><script>{js}</script>", "p {}", "'{css}'; run()", ("chat.example.org",))
HOST = "192.0.2.7:2000"
HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def ask(target: str, *, method: str = "GET", site: WebSite = SITE, unavailable: str = "", **fields: str) -> WebAnswer:
    """The answer to a request. Underscores in the names of fields stand for hyphens."""
    named = {"Host": HOST} | {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return site.answer("\r\n".join(lines).encode("latin-1"), unavailable)


def status(answer: WebAnswer) -> int:
    return int(answer.data.split(b" ")[1])


def fields_of(answer: WebAnswer) -> dict[str, str]:
    lines = answer.data.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def body(answer: WebAnswer) -> bytes:
    return answer.data.split(b"\r\n\r\n", 1)[1]


def sha256(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class TestPage:
    def test_is_one_response_with_style_and_script(self) -> None:
        answer = ask("/")
        assert status(answer) == 200
        assert body(answer) == b"<style>p {}</style><script>'{css}'; run()</script>"
        assert fields_of(answer)["content-type"] == "text/html; charset=utf-8"
        assert int(fields_of(answer)["content-length"]) == len(body(answer))
        assert fields_of(answer)["connection"] == "close"

    def test_tells_of_ssh_once_guests_can_come_by_it(self) -> None:
        site = WebSite("{ssh}<style>{css}</style><script>{js}</script>", "p {}", "'{ssh}'")
        before = ask("/", site=site)
        assert body(before) == b"<style>p {}</style><script>'{ssh}'</script>"
        site.show_ssh(2022, "SHA256:<x>")
        for encoding in ("identity", "gzip"):
            answer = ask("/", site=site, Accept_Encoding=encoding)
            page = gzip.decompress(body(answer)) if encoding == "gzip" else body(answer)
            assert b"ssh -p 2022" in page
            assert b"SHA256:&lt;x&gt;" in page
            assert page.endswith(b"<script>'{ssh}'</script>")
            assert fields_of(answer)["content-security-policy"] == fields_of(before)["content-security-policy"]

    def test_allows_only_its_own_style_script_and_socket(self) -> None:
        policy = dict(one.strip().split(" ", 1) for one in fields_of(ask("/"))["content-security-policy"].split(";"))
        assert policy == {
            "default-src": "'none'",
            "style-src": sha256("p {}"),
            "script-src": sha256("'{css}'; run()"),
            "img-src": "data:",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
            "connect-src": f"'self' ws://{HOST} wss://{HOST}",
        }

    def test_is_held_by_no_other_site_and_tells_it_nothing(self) -> None:
        fields = fields_of(ask("/"))
        assert fields["x-content-type-options"] == "nosniff"
        assert fields["referrer-policy"] == "no-referrer"
        assert fields["x-frame-options"] == "DENY"
        assert fields["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in fields

    def test_is_compressed_for_clients_that_take_it(self) -> None:
        answer = ask("/", Accept_Encoding="br, gzip")
        assert fields_of(answer)["content-encoding"] == "gzip"
        assert gzip.decompress(body(answer)) == body(ask("/"))
        assert "content-encoding" not in fields_of(ask("/", Accept_Encoding="br"))

    def test_head_has_the_same_fields_and_no_body(self) -> None:
        answer = ask("/", method="HEAD")
        assert fields_of(answer) == fields_of(ask("/"))
        assert body(answer) == b""

    def test_a_refused_head_has_no_body_either(self) -> None:
        answer = ask("/x", method="HEAD")
        assert fields_of(answer) == fields_of(ask("/x"))
        assert (status(answer), body(answer)) == (404, b"")

    def test_a_query_changes_nothing(self) -> None:
        assert body(ask("/?from=qr")) == body(ask("/"))

    def test_the_page_of_the_package_has_all_its_parts_inside(self) -> None:
        found: list[str] = []

        class Finder(HTMLParser):
            def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
                found.extend(f"{tag} {name}" for name, value in attrs if name in ("src", "href") and value != "data:,")

        page = body(ask("/", site=WebSite.load())).decode()
        Finder().feed(page)
        assert found == []
        assert "{css}" not in page
        assert "{js}" not in page
        assert "{ssh}" not in page


class TestSocket:
    def test_handshake_is_that_of_the_rfc(self) -> None:
        answer = ask("/room", **{name.replace("-", "_"): value for name, value in HANDSHAKE.items()})
        assert answer.opens_socket
        assert status(answer) == 101
        fields = fields_of(answer)
        assert fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert (fields["upgrade"], fields["connection"]) == ("websocket", "Upgrade")
        assert "sec-websocket-extensions" not in fields, "compression is not taken"

    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            ({"Upgrade": "h2c"}, 426),
            ({"Connection": "keep-alive"}, 426),
            ({"Sec-WebSocket-Version": "8"}, 426),
            ({"Sec-WebSocket-Key": "x"}, 400),
            ({"Sec-WebSocket-Key": "dGhlIHNhbXBsZQ=="}, 400),
            ({"Sec-WebSocket-Key": ""}, 400),
            ({"Origin": "http://evil.test"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": f"http://{HOST}.evil.test"}, 403),
            ({"Origin": "http://192.0.2.7"}, 403),
            ({"Host": "evil.test", "Origin": "http://evil.test"}, 421),
        ],
    )
    def test_other_handshakes_are_refused(self, changed: dict[str, str], expected: int) -> None:
        answer = ask("/room", **{name.replace("-", "_"): value for name, value in (HANDSHAKE | changed).items()})
        assert not answer.opens_socket
        assert status(answer) == expected
        assert fields_of(answer)["connection"] == "close"

    @pytest.mark.parametrize("origin", [f"http://{HOST}", f"https://{HOST}"])
    def test_the_page_itself_may_open_it(self, origin: str) -> None:
        assert ask("/room", Origin=origin, **{n.replace("-", "_"): v for n, v in HANDSHAKE.items()}).opens_socket

    def test_426_names_the_version(self) -> None:
        assert fields_of(ask("/room"))["sec-websocket-version"] == "13"
        assert fields_of(ask("/room"))["upgrade"] == "websocket"


class TestRefusals:
    @pytest.mark.parametrize(
        ("target", "method", "expected"),
        [
            ("/favicon.ico", "GET", 404),
            ("/../../etc/passwd", "GET", 404),
            ("//", "GET", 404),
            ("/", "POST", 405),
            ("/room", "OPTIONS", 405),
            ("*", "OPTIONS", 405),
        ],
    )
    def test_other_targets_and_methods(self, target: str, method: str, expected: int) -> None:
        answer = ask(target, method=method)
        assert status(answer) == expected
        assert ("allow" in fields_of(answer)) == (expected == 405)
        assert fields_of(answer)["content-type"] == "text/plain; charset=utf-8"
        assert b"<" not in body(answer)

    @pytest.mark.parametrize("host", ["evil.test", "192.0.2.7.evil.test:2000", "example.org"])
    def test_a_host_that_a_stranger_can_name_is_misdirected(self, host: str) -> None:
        answer = ask("/", Host=host)
        assert status(answer) == 421
        assert b"--web-name" in body(answer)

    @pytest.mark.parametrize("host", ["localhost:2000", "ada.local", "[2001:db8::7]:2000", "chat.example.org"])
    def test_its_own_hosts_are_served(self, host: str) -> None:
        answer = ask("/", Host=host)
        assert status(answer) == 200
        assert f"ws://{host} wss://{host}" in fields_of(answer)["content-security-policy"]


values = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40)
named = st.sampled_from(["Host", "Origin", "Upgrade", "Connection", "Accept-Encoding", *HANDSHAKE])


class TestAnyFields:
    @given(st.sampled_from(["/", "/room"]), st.dictionaries(named, values), st.booleans())
    def test_each_request_has_one_answer(self, target: str, changed: dict[str, str], is_handshake: bool) -> None:
        fields = (HANDSHAKE if is_handshake else {}) | changed
        answer = ask(target, **{name.replace("-", "_"): value for name, value in fields.items()})
        assert status(answer) in (101, 200, 400, 403, 421, 426)
        assert answer.opens_socket == (status(answer) == 101)
        if changed.keys() & {"Host", "Origin"} == set() and not is_handshake and target == "/":
            assert status(answer) in (200, 400)


class TestUnavailablePage:
    def test_tells_the_reason_as_text(self) -> None:
        answer = ask("/", unavailable="the room <b>is</b> full")
        assert status(answer) == 503
        assert b"the room &lt;b&gt;is&lt;/b&gt; full" in body(answer)
        assert int(fields_of(answer)["retry-after"]) > 0
        assert "script-src" not in fields_of(answer)["content-security-policy"]

    def test_its_style_is_the_one_that_it_allows(self) -> None:
        answer = WebAnswer(unavailable_page("full"))
        style = body(answer).decode().split("<style>")[1].split("</style>")[0]
        assert sha256(style) in fields_of(answer)["content-security-policy"]

    def test_a_missing_page_stays_missing(self) -> None:
        assert status(ask("/x", unavailable="the room is full")) == 404

    def test_a_socket_opens_so_that_it_can_be_told(self) -> None:
        fields = {name.replace("-", "_"): value for name, value in HANDSHAKE.items()}
        assert ask("/room", unavailable="the room is full", **fields).opens_socket
