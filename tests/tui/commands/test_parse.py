import pytest

from protocol import json_lines
from protocol.commands import OPERATOR_NAMES
from protocol.messages import Ban, Limits, Say
from tui.commands.parse import (
    COMMANDS,
    ChatLine,
    LengthCheck,
    ParsedCommand,
    ParseError,
    available_commands,
    check_length,
    parse,
)

LIMITS = Limits()


def test_operator_commands_are_offered_to_operators_only() -> None:
    table = {command.name for command in COMMANDS if command.for_operators}
    assert table == OPERATOR_NAMES
    assert not OPERATOR_NAMES & {command.name for command in available_commands(operator=False)}


def test_parse_operator_command_returns_it_or_its_error() -> None:
    assert parse("/ban ada 10") == ParsedCommand("ban", "ada 10", Ban("ada", 10))
    assert parse("/ban ada 0") == ParseError("a ban lasts from a moment to 10,080 minutes, which is a week")


def test_parse_composes_letters() -> None:
    assert parse("/ban Rene\u0301 10") == ParsedCommand("ban", "Ren\u00e9 10", Ban("Ren\u00e9", 10))
    assert parse("cafe\u0301") == ChatLine("caf\u00e9")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x" * 2_001, LengthCheck(2_001, 2_000, "characters")),
        ("x\n" * 40, LengthCheck(41, 40, "lines")),
        ("李" * 1_400, LengthCheck(len(json_lines.encode(Say("x" * 16, "李" * 1_400))) - 1, 4_096, "bytes")),
    ],
)
def test_the_limit_that_is_used_most_is_told(text: str, told: LengthCheck) -> None:
    assert check_length(text, LIMITS) == told
    assert told.is_too_long
    assert told.is_near_limit
    assert f"{told.used:,} {told.unit}, and {told.allowed:,} are allowed" in told.sentence


def test_a_line_that_just_fits_fits() -> None:
    assert not check_length("x" * 2_000, LIMITS).is_too_long
    assert not check_length("\n" * 39, LIMITS).is_too_long
    assert not check_length("hello", LIMITS).is_near_limit
