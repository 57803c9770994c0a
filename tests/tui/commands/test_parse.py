from protocol.messages import Ban
from protocol.operator_commands import NAMES
from tui.commands.parse import COMMANDS, ChatLine, ParsedCommand, ParseError, available, parse


def test_every_order_is_in_the_table_for_operators_and_in_nobody_elses() -> None:
    table = {command.name for command in COMMANDS if command.for_operators}
    assert table == NAMES
    assert not NAMES & {command.name for command in available(operator=False)}


def test_an_order_is_understood_and_a_mistake_in_one_is_told_in_its_sentence() -> None:
    assert parse("/ban ada 10") == ParsedCommand("ban", "ada 10", Ban("ada", 10))
    assert parse("/ban ada 0") == ParseError("a ban lasts from a moment to 10,080 minutes, which is a week")


def test_parse_composes_letters() -> None:
    assert parse("/ban Rene\u0301 10") == ParsedCommand("ban", "Ren\u00e9 10", Ban("Ren\u00e9", 10))
    assert parse("cafe\u0301") == ChatLine("caf\u00e9")
