"""The plain dialect, line mode and the full screen use the same sentence for each event."""

import pytest

from protocol import plain_text
from protocol.client import Gap, HistoryEnd, Received
from protocol.format import format_people, format_refused, format_status
from protocol.messages import (
    Event,
    Goodbye,
    Limits,
    ModelSwitched,
    Notice,
    People,
    Presence,
    Refused,
    Rules,
    RulesChanged,
    Said,
    Status,
    Welcome,
)
from tui.commands.parse import ParseError, parse
from tui.line.formatting import format_event, text_of
from tui.message_log.builder import EntryBuilder

EVENTS = [
    Presence(1, 1.0, joined=["ada"]),
    Presence(1, 1.0, joined=["ada", "bob", "cleo"]),
    Presence(1, 1.0, left=["ada", "bob"]),
    Presence(1, 1.0, renamed=[("ada", "adele")]),
    *(ModelSwitched(1, 1.0, model, "event", 0.041, 1037) for model in ("process", "thread", "event", "actor")),
    Notice("boss kicked ada: enough", 1, 1.0),
    Notice("boss banned ada for an hour", 1, 1.0),
    Notice("boss muted ada", 1, 1.0),
    RulesChanged(1, 1.0, "boss locked the room: nobody new comes in", Rules(locked=True)),
    RulesChanged(1, 1.0, "boss slowed the room down: a line every 5 s from each of you", Rules(slow=5.0)),
    RulesChanged(1, 1.0, "boss pinned: questions at the end", Rules(pin="questions at the end")),
    Goodbye("kicked", "boss kicked you: enough"),
    Goodbye("too-slow", "you read too slowly, and too much piled up"),
]
MISTAKES = [
    "/frob",
    "/hlep",
    "/nick",
    "/me",
    "/kick",
    "/ban ada 0",
    "/ban ada sure",
    "/slow down",
    "/lock it",
    "/pin",
    "/model fibres",
    "/chaos",
    "/chaos block 9s",
]


def in_plain(event: Event) -> list[str]:
    return [line.removeprefix("*** ") for line in plain_text.encode(event).decode().splitlines()]


def in_line_mode(event: Received) -> list[str]:
    return [text_of(line).removeprefix("*** ").removeprefix("--- ") for line in format_event(event, "me")]


def in_full_screen(*events: Received) -> list[str]:
    builder = EntryBuilder()
    builder.add_events(events)
    entries = [builder.store.entry(serial) for serial in range(builder.store.next)]
    return [entry.text for entry in entries if entry is not None]


def assert_in_style(sentence: str) -> None:
    """A sentence starts with a small letter or a sign, and has no full stop."""
    assert not sentence[0].isupper(), sentence
    assert not sentence.endswith("."), sentence


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_event_has_one_sentence_in_all_front_ends(event: Received) -> None:
    assert not isinstance(event, Gap)
    assert in_plain(event) == in_line_mode(event) == in_full_screen(event)
    for sentence in in_plain(event):
        assert_in_style(sentence)


@pytest.mark.parametrize("missed", [None, 1, 1234])
def test_gap_has_one_sentence_in_all_clients(missed: int | None) -> None:
    assert in_line_mode(Gap(missed)) == in_full_screen(Gap(missed))
    assert_in_style(in_line_mode(Gap(missed))[0])


def test_answers_have_one_sentence_in_all_front_ends() -> None:
    """The full screen shows these sentences with the same function, beside the input line or in the pane."""
    refused = Refused("nickname-taken", "ada is taken", suggestion="ada2")
    status = Status("thread", 1037, "thread 7", 1000, 1, 1039, 2**25, 2**14)
    nicks = ["ada", "bob", "cleo"]
    assert in_plain(refused) == in_line_mode(refused) == [format_refused(refused)]
    assert in_plain(status) == in_line_mode(status) == [format_status(status)]
    assert in_plain(People(1, nicks)) == in_line_mode(People(1, nicks)) == [format_people(nicks)]


@pytest.mark.parametrize("line", MISTAKES)
def test_mistake_has_one_sentence_in_all_front_ends(line: str) -> None:
    refused, mistake = plain_text.decode_command(line.encode()), parse(line)
    assert isinstance(refused, Refused)
    assert isinstance(mistake, ParseError)
    assert refused.reason == mistake.sentence
    assert_in_style(mistake.sentence)


def test_history_has_the_same_marks_in_all_front_ends() -> None:
    said = [Said(1, "bob", "hi", 1.0), Said(2, "bob", "ho", 1.0)]
    welcome = Welcome("ada", "t", 2, "event", 2, "event loop", Limits(), "n", said, people=2)
    plainly = [line for line in in_plain(welcome)[1:] if not line.startswith("bob: ")]
    in_lines = [*format_event(welcome, "ada"), *format_event(HistoryEnd(welcome), "ada")]
    assert [text_of(line).lstrip("*- ") for line in in_lines] == plainly
    assert in_full_screen(welcome, *said, HistoryEnd(welcome)) == ["hi", "ho", plainly[-2]]
