from protocol.commands import OPERATOR_NAMES
from protocol.messages import Ban
from tui.commands.parse import COMMANDS, ChatLine, ParsedCommand, ParseError, available_commands, parse


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
