import json

import pytest
from hypothesis import given
from msgspec.structs import replace

from protocol.client import Gap, Received
from protocol.messages import (
    Goodbye,
    Limits,
    MeterReading,
    ModelSwitched,
    Notice,
    OperatorGranted,
    People,
    Pong,
    Presence,
    Refused,
    Rules,
    RulesChanged,
    Said,
    Status,
    Totals,
    Welcome,
)
from protocol.sanitize import sanitize
from tests.protocol.strategies import any_of, hostile_text
from tui.transcript.formats import as_json_lines, entries_of, markdown

AT = 1_795_464_840.0
"""Monday 23 November 2026, 20:14 UTC."""
NOW = AT + 5
WELCOME = Welcome("ada", "the token", 3, "event", 2, "event loop", Limits(), "the nonce")
EVENING: list[Received] = [
    WELCOME,
    Presence(4, AT, joined=["ada", "bob"]),
    Said(5, "ada", "is this thing on?", AT, "id"),
    Said(6, "bob", "waves", AT + 1, action=True),
    ModelSwitched(7, AT + 2, "thread", "event", 0.041, 37),
    RulesChanged(8, AT + 3, "boss locked the room", Rules(locked=True)),
    Notice("boss kills the worker of ada, process 4321: it ends, nobody else does", 9, AT + 4),
    Presence(10, AT + 4, left=["ada"], renamed=[("bob", "robert")]),
    Gap(3),
    Goodbye("closing", "thank you all"),
]


def objects(events: list[Received]) -> list[dict[str, object]]:
    return [json.loads(line) for line in as_json_lines(entries_of(events, NOW)).splitlines()]


def page(events: list[Received]) -> str:
    return markdown(entries_of(events, NOW), "A tale")


def test_json_lines_have_an_object_with_a_time_for_each_event() -> None:
    told = objects(EVENING)
    kinds = ["welcome", "presence", "said", "said", "switched", "rules", "notice", "presence", "gap", "goodbye"]
    assert [one["type"] for one in told] == kinds
    assert told[2] == {
        "at": AT,
        "time": "2026-11-23T20:14:00.000Z",
        "type": "said",
        "seq": 5,
        "nick": "ada",
        "text": "is this thing on?",
    }
    assert told[3]["action"] is True
    assert told[4]["model"] == "thread"
    assert told[5]["rules"] == {"locked": True, "quiet": False, "slow": 0.0, "pin": ""}
    assert told[-1]["at"] == NOW


def test_markdown_has_switches_moderation_and_chaos() -> None:
    text = page(EVENING)
    for words in (
        "## Monday 23 November 2026 (UTC)",
        "20:14:00 **ada** is this thing on?",
        "20:14:01 _bob waves_",
        "**now run by the thread model**",
        "37 carried over in 41 ms",
        "_boss locked the room_",
        "kills the worker of ada",
        "ada left; bob is now robert",
        "3 things that happened are missing here",
        "_thank you all_",
    ):
        assert words in text


@pytest.mark.parametrize(
    "event",
    [
        OperatorGranted(),
        Pong("1"),
        People(3, ["ada"]),
        Refused("muted", "you are muted"),
        Status("event", 2, "event loop"),
        MeterReading(AT, "event", 2, 2, 1.0, 2.0, 0.1, 0.1, 1, 1, 1, 1, 0.1, Totals()),
    ],
    ids=lambda event: type(event).__name__,
)
def test_entries_of_omits_momentary_events(event: Received) -> None:
    assert entries_of([event], NOW) == []


def test_formats_keep_no_secret() -> None:
    for text in (as_json_lines(entries_of(EVENING, NOW)).decode(), page(EVENING)):
        assert "the token" not in text
        assert "the nonce" not in text


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b31m", "a\x07b\x00c", "\u202eabc", "x\x7fy", "\ud800"])
def test_formats_keep_no_control_sequence(text: str) -> None:
    events: list[Received] = [
        Said(5, text, text, AT),
        Notice(text, 6, AT),
        Presence(7, AT, joined=[text], renamed=[(text, text)]),
        Goodbye(text, text),
        ModelSwitched(8, AT, text, text, 0.041, 37),
        replace(WELCOME, model=text),
    ]
    for told in (as_json_lines(entries_of(events, NOW)), page(events).encode()):
        decoded = told.decode().replace("\n", "")
        assert sanitize(decoded) == decoded


@given(any_of(Said, hostile_text))
def test_json_lines_keep_any_text_as_shown(event: Said) -> None:
    (told,) = objects([event])
    assert told["text"] == sanitize(event.text, lines=True)
    assert sanitize(page([event]), lines=True) == page([event])


@pytest.mark.parametrize(
    "text", ["# not a heading", "*x* `y` [z](http://w)", "<b>", "- one\n- two", "a\n\n    code", "1. x"]
)
def test_markdown_escapes_any_text(text: str) -> None:
    body = page([Said(5, "ada", text, AT)]).split("**ada** ", 1)[1]
    for line in body.rstrip("\n").split("\n"):
        unescaped = line.replace("\\\\", "")
        for at, sign in enumerate(unescaped):
            if sign in "#*`[]<>_-" or (sign == "." and at):
                assert unescaped[at - 1] == "\\"
    assert "\n\n" not in body.rstrip("\n")


def test_markdown_escapes_the_names_of_models() -> None:
    text = page([ModelSwitched(7, AT, "*x*", "[y](z)", 0.041, 37)])
    assert "the \\*x\\* model" in text
    assert "\\[y\\]" in text


def test_impossible_time_is_replaced_by_the_arrival() -> None:
    for at in (0.0, -5.0, float("inf"), float("nan"), 1e30):
        assert objects([Said(5, "ada", "x", at)])[0]["at"] == NOW
