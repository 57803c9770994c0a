"""Numbers, names and unknown commands in words."""

import pytest

from protocol import plain_text
from protocol.format import format_history_start, format_welcome, unknown_command
from protocol.messages import Limits, Refused, Welcome
from tui.commands.parse import ParseError, parse

SENTENCE = "there is no command /hlep; did you mean /help? /help lists them, // says a line with a slash"


def test_unknown_command_near_another_suggests_it_everywhere() -> None:
    assert unknown_command("hlep", ["help", "who"]) == SENTENCE
    assert plain_text.decode_command(b"/hlep") == Refused("bad-command", SENTENCE)
    assert parse("/hlep") == parse("/hlep", screen=False) == ParseError(SENTENCE)


def test_unknown_command_near_none_suggests_none() -> None:
    assert unknown_command("zzz", ["help"]).startswith("there is no command /zzz; /help")


def test_unknown_command_of_any_length_is_a_short_sentence() -> None:
    assert len(unknown_command("x" * 4000 + "\x1b", ["help"])) < 120


def welcome(**fields: object) -> Welcome:
    values = {"you": "ada", "token": "t", "seq": 9, "model": "event", "connections": 3, "served_by": "event loop"}
    return Welcome(**values | {"limits": Limits(), "nonce": ""} | fields)  # type: ignore[arg-type]  # A dict of fields.


@pytest.mark.parametrize(
    ("people", "company"),
    [(0, "and alone so far"), (1, "and alone so far"), (2, "with 1 other"), (1001, "with 1,000 others")],
)
def test_welcome_counts_the_others(people: int, company: str) -> None:
    assert format_welcome(welcome(people=people)).startswith(f"you are in the room, as ada, {company}; /help")


def test_history_start_counts_the_lines() -> None:
    assert format_history_start(1) == "the last 1 line, from before you came:"
