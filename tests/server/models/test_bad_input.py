"""Tests of input that people send by mistake or out of curiosity. No input harms the server or another connection.

All these tests use one room, one after the other, so each of them must leave it working.
"""

import json
import time

import pytest

from tests.running import RichPeer, Server

HARMFUL = {
    "NUL": "\0",
    "ESC": "\x1b",
    "C1": "\x9b",
    "U+2028": "\u2028",
    "U+2029": "\u2029",
    "U+0085": "\x85",
    "vertical tab": "\v",
    "form feed": "\f",
}


def test_a_byte_at_a_time(room: Server) -> None:
    bob, slow = room.plain("bob"), room.connect()
    for byte in "zoë\nI take my time… 李\n".encode():
        slow.send(bytes([byte]))
    bob.expect("zoë: I take my time… 李")


def test_a_byte_at_a_time_in_the_rich_dialect(room: Server) -> None:
    bob, slow = room.plain("bob"), room.connect()
    for byte in b'{"type":"hello","nick":"zoe"}\n{"type":"say","id":"1","text":"hello"}\n':
        slow.send(bytes([byte]))
    bob.expect("zoe: hello")


def test_a_hundred_lines_in_one_segment(room: Server) -> None:
    bob, ada = room.rich("bob"), room.plain("ada")
    ada.send("".join(f"line {number}\n" for number in range(100)))
    assert [bob.expect("said")["text"] for _ in range(100)] == [f"line {number}" for number in range(100)]


def test_the_nickname_and_a_hundred_lines_in_one_segment(room: Server) -> None:
    bob, ada = room.rich("bob"), room.connect()
    ada.send("ada\n" + "".join(f"line {number}\n" for number in range(100)))
    assert [bob.expect("said")["text"] for _ in range(100)] == [f"line {number}" for number in range(100)]


def test_a_line_that_never_ends_gets_a_clear_error(room: Server) -> None:
    peer = room.plain("ada")
    peer.send(b"x" * 132_000)
    assert peer.lines_until_closed()[-1] == "*** goodbye: a line ends within 65536 bytes, and yours did not"


def test_line_over_the_limit_is_refused_and_the_connection_stays(room: Server) -> None:
    peer = room.plain("ada")
    peer.send(b"x" * 70_000 + b"\n/who\n")
    peer.expect("*** a line has at most 65536 bytes; yours had 70000, and nothing of it was said")
    peer.expect("*** 1 here: ada")


def test_crlf_mixed_with_lf(room: Server) -> None:
    bob, ada = room.plain("bob"), room.connect()
    ada.send(b"ada\r\none\ntwo\r\nthree\n")
    bob.expect("ada: one")
    assert [bob.said(), bob.said()] == ["ada: two", "ada: three"]


@pytest.mark.parametrize("char", HARMFUL.values(), ids=HARMFUL.keys())
def test_control_characters_are_harmless_and_end_no_line(room: Server, char: str) -> None:
    bob, cleo, ada, rich = room.plain("bob"), room.rich("cleo"), room.plain("ada"), room.rich("rich")
    ada.say(f"left{char}right")
    plain = bob.expect("ada: left")[-1]
    heard = cleo.expect("said")["text"]
    assert plain == f"ada: {heard}"
    assert char not in heard
    assert heard.startswith("left")
    assert heard.endswith("right")
    rich.say(f"left{char}right")
    assert cleo.expect("said")["text"] == heard
    assert bob.said() == f"rich: {heard}"


def test_a_line_end_in_a_rich_text_cannot_imitate_another_person(room: Server) -> None:
    bob, ada = room.plain("bob"), room.rich("ada")
    ada.say("innocent\n*** bob left\nbob: I am a fool")
    bob.expect("ada: innocent")
    assert [bob.said(), bob.said()] == ["ada: *** bob left", "ada: bob: I am a fool"]


def test_invalid_utf8_is_refused_and_the_connection_stays(room: Server) -> None:
    bob, ada, rich = room.plain("bob"), room.plain("ada"), room.rich("rich")
    for bad in (b"\xfe\xff", b"caf\xe9", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"):
        ada.send(bad + b"\n")
        ada.expect("*** that line is not UTF-8")
        rich.send(b'{"type":"say","id":"1","text":"' + bad + b'"}\n')
        assert rich.expect("refused")["code"] == "bad-utf8"
    ada.say("still here")
    assert not any("*** that" in line for line in bob.expect("ada: still here"))
    rich.say("and I")
    bob.expect("rich: and I")


def test_nickname_that_is_not_utf8_is_refused_and_can_be_retried(room: Server) -> None:
    ada = room.connect()
    ada.send(b"\xff\xff\n")
    assert "not UTF-8" in ada.line()
    ada.send(b"ada\n")
    assert ada.line() == "Connected to chat server"


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_code_point_cut_between_two_reads(room: Server, cut: int) -> None:
    bob, ada = room.plain("bob"), room.plain("ada")
    line = "😀!\n".encode()
    ada.send(line[:cut])
    bob.say("/who")  # Certainly another segment, because the first one was answered.
    bob.expect("2 here")
    ada.send(line[cut:])
    bob.expect("ada: 😀!")


def test_an_overlong_line_is_refused_and_not_cut(start) -> None:
    server: Server = start("--max-line", "256")
    bob, ada, rich = server.plain("bob"), server.plain("ada"), server.rich("rich")
    ada.send(b"y" * 257 + b"\nshort\n")
    ada.expect("*** a line has at most 256 bytes; yours had 257, and nothing of it was said")
    assert not any("yyy" in line for line in bob.expect("ada: short"))
    rich.say("y" * 300, id="long")
    assert rich.expect("refused")["code"] == "line-too-long"
    ada.say("z" * 256)
    bob.expect("ada: " + "z" * 256)
    ada.send(b"z" * 256 + b"\r\n")
    bob.expect("ada: " + "z" * 256)


def test_a_text_too_long_is_refused_with_its_id(room: Server) -> None:
    ada = room.rich("ada")
    ada.say("x" * 2001, id="a")
    assert ada.expect("refused", id="a")["code"] == "text-too-long"
    ada.say("\n".join("x" * 41), id="b")
    assert ada.expect("refused", id="b")["code"] == "too-many-lines"
    ada.say("x" * 2000, id="c")
    assert ada.expect("said", id="c")["text"] == "x" * 2000


def test_blank_lines_say_nothing(room: Server) -> None:
    bob, ada = room.rich("bob"), room.plain("ada")
    ada.send(b"\n\r\n   \n\t\nword\n")
    assert bob.expect("said")["text"] == "word"


def test_blank_lines_count(start) -> None:
    server: Server = start("--rate-limit", "5/8")
    bob, ada = server.plain("bob"), server.plain("ada")
    bob.expect("ada joined")
    began = time.monotonic()
    ada.send("\n" * 10 + "word\n")
    ada.expect("you are fast")
    bob.expect("ada: word")
    # The nickname and 4 blank lines use up the burst; 6 blank lines and the word follow at 8 a second.
    assert time.monotonic() - began > 0.6


STRANGERS = {
    "HTTP": (b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404 Not Found"),
    "HTTP with a body": (b"POST /x HTTP/1.0\r\nContent-Length: 9\r\n\r\nnick=ada\n", "HTTP/1.1 400 Bad Request"),
    "TLS": (bytes.fromhex("16030100c8010000c40303") + bytes(range(128)) + b"\n\n", "*** goodbye: "),
    "SSH": (b"SSH-2.0-OpenSSH_9.6\r\n", "*** goodbye: "),
}


@pytest.mark.parametrize(("hello", "answer"), STRANGERS.values(), ids=STRANGERS.keys())
def test_client_of_another_protocol_gets_one_answer(room: Server, hello: bytes, answer: str) -> None:
    bob, stranger = room.rich("bob"), room.connect()
    stranger.send(hello)
    lines = stranger.lines_until_closed()
    assert lines[0].startswith(answer)
    if not answer.startswith("HTTP"):
        assert len(lines) == 1
    else:
        assert sum(line.startswith("HTTP/") for line in lines) == 1
    bob.say("hello", id="1")
    assert bob.expect("said")["text"] == "hello"


def test_a_tls_hello_without_a_line_end_is_answered_at_once(room: Server) -> None:
    stranger = room.connect()
    stranger.send(bytes.fromhex("16030100c8010000c40303") + b"\x01" * 100)
    assert "TLS" in stranger.lines_until_closed()[0]


def test_a_text_that_imitates_the_room(room: Server) -> None:
    bob, ada = room.plain("bob"), room.plain("ada")
    ada.say("*** bob left")
    bob.expect("ada: *** bob left")
    ada.say("/me *** bob left")
    bob.expect("* ada *** bob left")


BAD_NICKNAMES = {
    "empty": "",
    "blank": "   ",
    "star": "*",
    "three stars": "***",
    "two words": "ada lovelace",
    "control characters": "a\x1b[2Jda",
    "10 kB": "a" * 10_000,
    "right to left override": "ada\u202e",
    "zero width": "a\u200bda",
    "a sign first": "-ada",
    "slash": "/who",
}


def test_a_bad_nickname_is_refused_and_another_may_be_tried(room: Server) -> None:
    bob, plain, rich = room.rich("bob"), room.connect(), room.rich_stranger()
    for kind, nick in BAD_NICKNAMES.items():
        plain.send(f"{nick}\n")
        assert plain.line().startswith("*** a nickname "), kind
        rich.command("hello", nick=nick)
        assert rich.expect("refused")["code"] == "bad-nickname", kind
    plain.send("ada\n")
    assert plain.line() == "Connected to chat server"
    rich.hello("rich")
    for kind, nick in BAD_NICKNAMES.items():
        rich.command("rename", nick=nick)
        assert rich.expect("refused")["code"] == "bad-nickname", kind
    bob.sees("ada", "rich")


def lines_that_are_no_command() -> dict[str, tuple[str, str]]:
    digits, deep = "9" * 10_000, 10_000
    return {
        "malformed": ('{"type":"say"', "bad-json"),
        "no object": ("[1,2]", "bad-command"),
        "a word": ("hello", "bad-json"),
        "unknown type": ('{"type":"fly"}', "bad-command"),
        "no type": ('{"nick":"ada"}', "bad-command"),
        "type is a number": ('{"type":1}', "bad-command"),
        "wrong field type": ('{"type":"say","id":"1","text":{}}', "bad-command"),
        "a missing field": ('{"type":"say","id":"1"}', "bad-command"),
        "an event": ('{"type":"said","seq":1,"nick":"bob","text":"x","at":0}', "bad-command"),
        "an id too long": (json.dumps({"type": "ping", "id": "x" * 65}), "bad-command"),
        "10,000 digits for a text": ('{"type":"say","id":"1","text":' + digits + "}", "bad-"),
        "10,000 digits after": ('{"type":"hello","nick":"x","resume":{"token":"","after":' + digits + "}}", "bad-"),
        "nested 10,000 deep": ('{"type":"say","id":"1","text":' + "[" * deep + "]" * deep + "}", "bad-"),
        "nested 10,000 objects deep": ('{"a":' * deep + "1" + "}" * deep, "bad-"),
        "unfinished nesting": ("[" * deep, "bad-"),
        "a lone surrogate": ('{"type":"say","id":"1","text":"\\ud800"}', "bad-json"),
        "two on a line": ('{"type":"who"}{"type":"who"}', "bad-json"),
        "NUL": ("\0", "bad-json"),
        "NaN": ('{"type":"resume","after":NaN}', "bad-"),
    }


@pytest.mark.parametrize(("line", "code"), lines_that_are_no_command().values(), ids=lines_that_are_no_command().keys())
def test_a_rich_line_that_is_no_command_is_refused_with_a_code(room: Server, line: str, code: str) -> None:
    ada = room.rich("ada")
    ada.send(f"{line}\n")
    answer = ada.event()
    while answer["type"] in ("status", "presence"):
        answer = ada.event()
    assert answer["type"] == "refused"
    assert answer["code"].startswith(code)
    assert len(answer["reason"]) < 500
    ada.say("still here", id="after")
    ada.expect("said", id="after")


@pytest.mark.parametrize(("line", "code"), lines_that_are_no_command().values(), ids=lines_that_are_no_command().keys())
def test_the_same_as_the_first_line_ends_nothing(room: Server, line: str, code: str) -> None:
    ada: RichPeer = room.rich_stranger()
    ada.send('{"type":"who"}\n')
    assert ada.event()["code"] == "not-joined"
    ada.send(f"{line}\n")
    assert ada.event()["type"] == "refused"
    ada.hello("ada")


def test_unknown_field_is_ignored(room: Server) -> None:
    ada = room.rich("ada")
    ada.send('{"type":"say","id":"1","text":"x","n":' + "9" * 10_000 + "}\n")
    assert ada.expect("said", id="1")["text"] == "x"


def test_a_second_hello_is_refused(room: Server) -> None:
    ada = room.rich("ada")
    ada.command("hello", nick="eve")
    assert ada.expect("refused")["code"] == "already-joined"


def test_pure_noise_ends_nothing(room: Server) -> None:
    bob, ada = room.plain("bob"), room.connect()
    ada.send(bytes(range(256)) * 40 + b"\n")
    ada.send(b"ada\nhello\n")
    bob.expect("hello")
