"""An unknown command is answered with the nearest one, by one sentence everywhere."""

from protocol import plain_text
from protocol.format import unknown_command
from protocol.messages import Refused
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
