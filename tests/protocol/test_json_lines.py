import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import json_lines
from protocol.dialects import PLAIN
from protocol.messages import Command, Event, Hello, Ping, Refused, Resume, Say, Switch, Who
from protocol.sanitize import sanitize
from tests.protocol.strategies import commands, events, wire_bytes

CODES = {"bad-utf8", "bad-json", "bad-command"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "id", "nick", "x"]), inner),
    max_leaves=8,
)


@given(commands)
def test_command_is_decoded_as_it_was_encoded(command: Command) -> None:
    line = json_lines.encode(command)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json_lines.decode_command(line[:-1]) == command


@given(events)
def test_event_is_decoded_as_it_was_encoded(event: Event) -> None:
    line = json_lines.encode(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json_lines.decode_event(line[:-1]) == event


@given(events)
def test_encoded_event_is_json(event: Event) -> None:
    assert isinstance(json.loads(json_lines.encode(event))["type"], str)


@given(st.binary() | wire_bytes)
def test_decode_command_of_any_bytes_refuses_with_a_code(line: bytes) -> None:
    command = json_lines.decode_command(line)
    if isinstance(command, Refused):
        assert command.code in CODES
        assert command.reason.startswith("that ")
        assert sanitize(command.reason) == command.reason
    else:
        assert isinstance(command, Command)


def test_refusal_is_sanitized() -> None:
    refused = json_lines.decode_command('{"type":"\x9b31m\u202e"}'.encode())
    assert isinstance(refused, Refused)
    assert sanitize(refused.reason) == refused.reason


@given(json_values)
def test_decode_command_of_any_json_refuses_with_a_code(value: object) -> None:
    command = json_lines.decode_command(json.dumps(value).encode())
    assert isinstance(command, Command) or command.code in CODES


@given(st.binary() | wire_bytes)
def test_decode_event_of_any_bytes_does_not_raise(line: bytes) -> None:
    event = json_lines.decode_event(line)
    assert event is None or isinstance(event, Event)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"type":"who"', "bad-json"),
        (b"{who}", "bad-json"),
        (b"", "bad-json"),
        (b"[" * 10_000, "bad-command"),
        (b'{"type":"who","x":' + b"[" * 10_000, "bad-json"),
        (b'{"type":"who","x":' + b'{"x":' * 10_000, "bad-json"),
        (b'{"type":"hello","nick":' + b"9" * 10_000 + b"}", "bad-command"),
        (b'{"type":"hello","nick":"a","resume":{"token":"t","after":' + b"9" * 10_000 + b"}}", "bad-command"),
        (b'{"type":"hello","nick":"a","resume":{"token":"t","after":1e400}}', "bad-command"),
        (b'{"type":"hello","nick":"a","resume":{"token":"t","after":-1}}', "bad-command"),
        (b'{"type":"frob"}', "bad-command"),
        (b'{"type":7}', "bad-command"),
        (b'{"nick":"ada"}', "bad-command"),
        (b'{"type":"say","id":1,"text":"hi"}', "bad-command"),
        (b'{"type":"say","id":"1"}', "bad-command"),
        (b'{"type":"say","id":"' + b"x" * 65 + b'","text":"hi"}', "bad-command"),
        (b'{"type":"ping","id":""}', "bad-command"),
        (b"[]", "bad-command"),
        (b"null", "bad-command"),
        (b'{"type":"say","id":"1","text":"\\ud800"}', "bad-json"),
        (b'{"type":"say","id":"1","text":"\xff"}', "bad-utf8"),
        (b'{"type":"say","id":"1","text":"\xed\xa0\x80"}', "bad-utf8"),
    ],
    ids=lambda value: value[:40] if isinstance(value, bytes) else value,
)
def test_decode_command_of_a_wrong_line_has_the_code(line: bytes, code: str) -> None:
    refused = json_lines.decode_command(line)
    assert isinstance(refused, Refused)
    assert refused.code == code


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b'{"type":"who"}', Who()),
        (b'{"nick":"ada","type":"hello"}', Hello("ada")),
        (b'{"type":"hello","nick":"ada","resume":{"token":"t","after":7}}', Hello("ada", Resume("t", 7))),
        (b'{"type":"say","id":"","text":"a\\nb"}', Say("", "a\nb")),
        (b'{"type":"say","id":"1","text":"\\ud83d\\ude00"}', Say("1", "😀")),
        (b'{"type":"ping","id":"1","new":{"field":[1]}}', Ping("1")),
        (b' { "type" : "switch" , "model" : "thread" } ', Switch("thread")),
    ],
)
def test_decode_command_ignores_spaces_and_unknown_fields(line: bytes, command: Command) -> None:
    assert json_lines.decode_command(line) == command


def test_decode_hello_takes_a_dialect_from_a_client() -> None:
    hello = json_lines.decode_command(b'{"type":"hello","nick":"ada","dialect":"plain"}')
    assert isinstance(hello, Hello)
    assert hello.dialect == PLAIN.name


def test_decode_event_of_a_newer_server_is_none() -> None:
    assert json_lines.decode_event(b'{"type":"fireworks","seq":1}') is None


def test_decode_event_of_deeply_nested_json_is_none() -> None:
    assert json_lines.decode_event(b'{"type":"notice","text":"x","new":%s}' % (b"[" * 10**5 + b"]" * 10**5)) is None
