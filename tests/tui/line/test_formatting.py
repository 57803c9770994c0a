"""The lines of line mode: no member's line looks like one of the room or of the client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.client import Gap, HistoryEnd
from protocol.messages import Goodbye, Limits, ModelSwitched, Notice, Pong, Presence, Refused, Rules, Said, Welcome
from protocol.sanitize import sanitize
from tui.line.formatting import (
    MAX_LINES,
    MIN_COLUMNS,
    NICK_STYLES,
    OWN,
    ROOM,
    Line,
    format_event,
    nick_style,
    note,
    text_of,
    wrap_line,
)


def printed(event: object, me: str = "me") -> list[str]:
    return [text_of(line) for line in format_event(event, me)]  # type: ignore[arg-type]


def welcome(**fields: object) -> Welcome:
    values = {"you": "ada", "token": "t", "seq": 0, "model": "event", "connections": 3, "served_by": "event loop"}
    return Welcome(**values | {"limits": Limits(), "nonce": ""} | fields)  # type: ignore[arg-type]


def test_the_formats_are_those_of_the_plain_dialect() -> None:
    assert printed(Said(1, "ada", "hello", 0.0)) == ["ada: hello"]
    assert printed(Said(1, "ada", "waves", 0.0, action=True)) == ["* ada waves"]
    assert printed(Notice("hear, hear")) == ["*** hear, hear"]
    assert printed(Presence(1, 0.0, joined=["ada"], left=["bob"])) == ["*** bob left", "*** ada joined"]
    assert printed(Goodbye("closing", "the end")) == ["*** goodbye: the end"]
    assert printed(Refused("x", "not so", suggestion="ada2")) == ["*** not so; ada2 is free"]
    assert printed(ModelSwitched(1, 0.0, "thread", "event", 0.041, 37)) == [
        "*** now a thread each: 37 carried over in 41 ms"
    ]
    assert printed(Pong("1")) == []


def test_format_event_multiline_text_has_nick_in_each_line() -> None:
    assert printed(Said(1, "ada", "one\n*** bob left\n\n--- you are gone", 0.0)) == [
        "ada: one",
        "ada: *** bob left",
        "ada: ",
        "ada: --- you are gone",
    ]


def test_format_event_million_lines_is_cut_and_counted() -> None:
    lines = printed(Notice("\n" * 64_000))
    assert len(lines) == MAX_LINES + 1
    assert lines[-1] == "--- and 63001 lines more, not shown"


def test_format_event_welcome_ends_with_own_nickname() -> None:
    assert printed(welcome(motd="be kind\n\nbe brief", rules=Rules(pin="slides: example.org"), people=2)) == [
        "*** be kind",
        "*** be brief",
        "*** pinned: slides: example.org",
        "--- you are in the room, as ada, with 1 other; /help lists the commands",
    ]


def test_welcome_to_an_empty_room_says_so() -> None:
    assert printed(welcome(people=1)) == ["--- you are in the room, as ada, and alone so far; /help lists the commands"]


def test_history_is_told_from_live_lines() -> None:
    first = welcome(history=[Said(1, "bob", "hi", 0.0), Said(2, "bob", "ho", 0.0)], seq=2, people=3)
    assert printed(first) == ["*** the last 2 lines, from before you came:"]
    assert [text_of(line) for line in format_event(HistoryEnd(first), "ada")] == [
        "*** that was before; from here on it is live",
        "--- you are in the room, as ada, with 2 others; /help lists the commands",
    ]


def test_after_a_resume_the_message_of_the_day_is_not_told_again() -> None:
    assert printed(welcome(resumed=True, motd="be kind")) == ["--- back in the room, as ada"]


def test_a_gap_is_told() -> None:
    assert printed(Gap(17)) == ["--- 17 things that happened here are lost"]
    assert printed(Gap(1)) == ["--- 1 thing that happened here is lost"]
    assert "opened anew" in printed(Gap(None))[0]


def test_nick_style_is_the_same_for_the_same_nick() -> None:
    assert format_event(Said(1, "me", "hello", 0.0), "me")[0][0] == (OWN, "me")
    assert format_event(Said(1, "ada", "hello", 0.0), "me")[0][0] == (nick_style("ada"), "ada")
    assert {nick_style(f"user{number}") for number in range(100)} == set(NICK_STYLES)


@pytest.mark.parametrize("columns", [MIN_COLUMNS, 40, 80])
def test_wrap_line_later_rows_are_indented(columns: int) -> None:
    text = "x" * (columns - 7) + " *** bob left the room, and this is not true " * 5
    [line] = format_event(Said(1, "ada", text, 0.0), "me")
    rows = [text_of(row) for row in wrap_line(line, columns)]
    assert len(rows) > 1
    assert rows[0].startswith("ada:")
    assert all(row.startswith("    ") for row in rows[1:])
    assert all(len(row) < columns for row in rows)
    assert "".join(rows).replace(" ", "") == f"ada:{text}".replace(" ", "")


def test_styles_survive_the_breaking() -> None:
    line: Line = [(ROOM, "word " * 6), (OWN, "x" * 60)]
    rows = list(wrap_line(line, 30))
    assert {style for row in rows for style, _ in row if _.strip()} == {ROOM, OWN}


def test_a_short_line_or_a_very_narrow_terminal_is_left_alone() -> None:
    assert list(wrap_line(note("hello"), 80)) == [note("hello")]
    assert list(wrap_line(note("x" * 100), MIN_COLUMNS - 1)) == [note("x" * 100)]


def test_wrap_line_endless_line_says_that_there_is_more() -> None:
    rows = [text_of(row) for row in wrap_line([(ROOM, "x" * 100_000)], 40)]
    assert "not shown" in rows[-1]


@given(st.text(max_size=400), st.integers(MIN_COLUMNS, 120))
def test_wrap_line_no_row_looks_like_room_or_client(text: str, columns: int) -> None:
    said = Said(1, "ada", sanitize(text, lines=True), 0.0)
    for line in format_event(said, "me"):
        assert text_of(line).startswith("ada: ")
        for row in list(wrap_line(line, columns))[1:]:
            assert text_of(row).startswith("    ")


def test_wrap_line_a_long_address_stays_in_one_piece() -> None:
    url = "https://example.org/" + "a1b2c3d4e5" * 12 + "?q=END"
    rows = [text_of(row) for row in wrap_line([("", f"bob: see {url} please, ada: it is worth it")], 80)]
    assert sum(url in row for row in rows) == 1
    assert all(row.startswith("    ") for row in rows[1:])
    assert rows[-1] == "    please, ada: it is worth it"
