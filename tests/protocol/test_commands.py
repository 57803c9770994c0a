import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import json_lines
from protocol.commands import OPERATOR_COMMANDS, OPERATOR_NAMES, CommandRefused
from protocol.messages import (
    RANDOM_MEMBER,
    Ban,
    Bans,
    Chaos,
    ClearHistory,
    Close,
    Command,
    Kick,
    Lock,
    Mute,
    Op,
    OperatorCommand,
    Pin,
    Quiet,
    Slow,
    Switch,
    Unban,
)

COMMANDS = {command.name: command for command in OPERATOR_COMMANDS}


def command_in(line: str) -> Command | str | None:
    """The command in a typed line, or the sentence of its refusal."""
    name, _, argument = line.removeprefix("/").partition(" ")
    try:
        return COMMANDS[name].parse(argument)
    except CommandRefused as refused:
        return str(refused)


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("/model thread", Switch("thread")),
        ("/model THREAD", Switch("thread")),
        ("/kick ada", Kick("ada")),
        ("/kick @ada that will do", Kick("ada", "that will do")),
        ("/kick #12", Kick("#12")),
        ("/ban ada", Ban("ada", 60)),
        ("/ban ada 10", Ban("ada", 10)),
        ("/ban ada address", Ban("ada", 60, address=True)),
        ("/ban ada 0.5 address sure", Ban("ada", 0.5, address=True, sure=True)),
        ("/ban ada sure address 5", Ban("ada", 5, address=True, sure=True)),
        ("/mute ada", Mute("ada")),
        ("/unmute #3", Mute("#3", on=False)),
        ("/op bob", Op("bob")),
        ("/slow 30", Slow(30)),
        ("/slow 1.5s", Slow(1.5)),
        ("/slow off", Slow(0)),
        ("/slow 0", Slow(0)),
        ("/lock", Lock()),
        ("/unlock", Lock(on=False)),
        ("/quiet", Quiet()),
        ("/quiet off", Quiet(on=False)),
        ("/unquiet", Quiet(on=False)),
        ("/pin questions at  the end", Pin("questions at the end")),
        ("/unpin", Pin()),
        ("/clear-history", ClearHistory()),
        ("/close", Close()),
        ("/close thank you all", Close("thank you all")),
        ("/chaos kill-worker random", Chaos("kill-worker", RANDOM_MEMBER)),
        ("/chaos kill-worker @random", Chaos("kill-worker", "random")),
        ("/chaos block random", Chaos("block", RANDOM_MEMBER)),
        ("/chaos block @300ms 1s", Chaos("block", "300ms", 1.0)),
        ("/unban ada", Unban("ada")),
        ("/bans", Bans()),
        ("/mute ada address", Mute("ada", address=True)),
        ("/mute @ada Address sure", Mute("ada", address=True, sure=True)),
        ("/deop ada", Op("ada", on=False)),
        ("/chaos kill-worker ada", Chaos("kill-worker", "ada")),
        ("/chaos raise @ada", Chaos("raise", "ada")),
        ("/chaos block", Chaos("block")),
        ("/chaos block 300ms", Chaos("block", seconds=0.3)),
        ("/chaos block 1s ada", Chaos("block", "ada", 1.0)),
        ("/chaos block ada 0.25", Chaos("block", "ada", 0.25)),
        ("/chaos slow-reader", Chaos("slow-reader")),
        ("/chaos SILENT", Chaos("silent")),
    ],
)
def test_parse_of_a_typed_line_is_the_command(line: str, order: OperatorCommand) -> None:
    assert command_in(line) == order


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/model", "there is no model"),
        ("/model fibres", "there is no model fibres: it is one of process, thread, event"),
        ("/kick", "/kick takes a nickname"),
        ("/kick ada " + "x" * 201, "that reason has 201 characters, and 200 are allowed"),
        ("/ban", "/ban takes a nickname"),
        ("/ban ada soon", "and not soon"),
        ("/ban ada nan", "and not nan"),
        ("/ban ada 0", "a ban lasts from a moment to 10,080 minutes"),
        ("/ban ada -5", "and not -5"),
        ("/ban ada 1e9", "a ban lasts from a moment to 10,080 minutes"),
        ("/ban ada 1_0", "and not 1_0"),
        ("/ban ada sure", "'sure' goes with 'address'"),
        ("/mute", "/mute takes a nickname"),
        ("/mute ada bob", "/mute takes a nickname, and 'address' and 'sure' after it"),
        ("/op", "/op takes a nickname"),
        ("/slow", "/slow takes the seconds"),
        ("/slow down", "/slow takes the seconds"),
        ("/slow inf", "/slow takes the seconds"),
        ("/slow -1", "/slow takes the seconds"),
        ("/slow 3601", "/slow takes the seconds"),
        ("/lock the door", "/lock takes nothing after it"),
        ("/quiet please", "/quiet takes nothing after it, or off"),
        ("/pin", "/pin takes the line to pin"),
        ("/pin " + "x" * 201, "that pinned line has 201 characters"),
        ("/unpin it", "/unpin takes nothing after it"),
        ("/chaos", "/chaos takes a fault"),
        ("/chaos fire", "/chaos takes a fault"),
        ("/chaos kill-worker", "takes one nickname, or random"),
        ("/chaos raise ada bob", "takes one nickname, or random"),
        ("/chaos block 6s", "a block lasts for up to 5 s"),
        ("/chaos block 0ms", "a block lasts for up to 5 s"),
        ("/chaos block ada bob", "one time, as 300ms, and one nickname"),
        ("/chaos block 1s 2s", "one time, as 300ms, and one nickname"),
        ("/chaos silent ada", "/chaos silent takes nothing after it"),
    ],
)
def test_parse_of_a_mistake_raises_one_sentence(line: str, sentence: str) -> None:
    told = command_in(line)
    assert isinstance(told, str)
    assert sentence in told
    assert not told.endswith(".")
    assert "\n" not in told


@given(st.sampled_from(sorted(OPERATOR_NAMES)), st.text(max_size=60))
def test_parse_of_any_text_is_a_valid_command_or_a_sentence(name: str, argument: str) -> None:
    try:
        order = COMMANDS[name].parse(argument)
    except CommandRefused:
        return
    assert json_lines.decode_command(json_lines.encode(order).rstrip(b"\n")) == order


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("/ban ada 10081", Ban("ada", 10_081)),
        ("/slow 3601", Slow(3601)),
        ("/chaos block 5.1", Chaos("block", seconds=5.1)),
        ("/pin " + "x" * 201, Pin("x" * 201)),
        ("/close " + "x" * 201, Close("x" * 201)),
    ],
)
def test_parse_checks_the_bounds_of_the_server(line: str, order: OperatorCommand) -> None:
    assert isinstance(command_in(line), str)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(order), type(order))
