"""The bars: of any width, each is whole, and no row ends with the gap between two parts."""

import re

import pytest
from rich.cells import cell_len

from protocol.messages import Rules
from tui.widgets.bars import StatusBarState, draw_banner, draw_rules, draw_status

KEYS = "Ctrl+R joins again   Ctrl+Q leaves"
WORDS = "You are out of the room: you were asked to leave."
ALL = Rules(locked=True, quiet=True, slow=30, pin="questions at the end")
ONLINE = StatusBarState("online", "thread", 37, "thread 17", 0.003, "192.0.2.7:2000")


@pytest.mark.parametrize("width", range(20, 201))
def test_draw_of_any_width_keeps_keys_whole(width: int) -> None:
    rows = draw_banner(WORDS, KEYS, width).plain.split("\n")
    assert all(row == row.rstrip() for row in rows)
    assert rows[0].startswith(WORDS)
    assert all(len(row) <= width for row in rows[1:])
    assert [key for row in rows for key in KEYS.split("   ") if key in row] == KEYS.split("   ")
    assert len(rows) == (1 if width >= len(WORDS) + 3 + len(KEYS) else 2 if width >= len(KEYS) else 3)


def test_draw_without_keys_is_the_words() -> None:
    assert draw_banner(WORDS, "", 20).plain == WORDS


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        (Rules(), ""),
        (Rules(locked=True), "locked"),
        (Rules(slow=0.5), "slow 0.5 s"),
        (Rules(locked=True, quiet=True), "locked   quiet"),
        (Rules(pin="a line"), "▌ a line"),
    ],
)
def test_rules_that_are_set_are_named(rules: Rules, text: str) -> None:
    assert draw_rules(rules, 80).plain.rstrip() == text


def test_the_pin_stands_left_and_the_rest_right() -> None:
    line = draw_rules(ALL, 100).plain
    assert line.startswith("▌ questions at the end ")
    assert line.endswith("  locked   quiet   slow 30 s")
    assert len(line) == 100


def test_where_not_all_fits_the_pin_gives_way() -> None:
    assert draw_rules(ALL, 40).plain == "▌ questions…  locked   quiet   slow 30 s"


def test_pin_on_a_small_terminal_is_readable_with_all_rules() -> None:
    pin = "questions at the end, and the code is in the room"
    assert pin in draw_rules(Rules(locked=True, quiet=True, slow=2.5, pin=pin), 80).plain


@pytest.mark.parametrize("width", range(1, 120))
def test_rules_line_keeps_to_its_width_except_for_a_minimum(width: int) -> None:
    assert draw_rules(Rules(pin="字" * 80), width).cell_length <= max(width, 3)
    assert draw_rules(Rules(locked=True, slow=5), width).cell_length <= width


def test_the_pinned_line_is_no_markup() -> None:
    assert "[b]x[/b] [@click=app.exit]" in draw_rules(Rules(pin="[b]x[/b] [@click=app.exit]"), 80).plain


@pytest.mark.parametrize("width", range(20, 201))
def test_line_of_any_width_ends_with_no_gap(width: int) -> None:
    for rules in (Rules(locked=True, quiet=True, slow=2.5), ALL, Rules(pin="字" * 80, locked=True)):
        line = draw_rules(rules, width).plain
        assert "\n" not in line
        assert line == line.rstrip(), line


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, "≋ thread   37 connected   you: thread 17   ping 3 ms   192.0.2.7:2000"),
        (65, "≋ thread  37 connected  you: thread 17  ping 3 ms  192.0.2.7:2000"),
        (64, "≋ thread  37 connected  you: thread 17  ping 3 ms"),
        (40, "≋ thread  37 connected  you: thread 17"),
        (24, "≋ thread  37 connected"),
        (10, "≋ thread"),
    ],
)
def test_parts_that_do_not_fit_are_left_out_from_the_end(width: int, shown: str) -> None:
    assert draw_status(ONLINE, width).plain == shown


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (83, "≋ thread   37 connected   you: thread 17   ping 3 ms   192.0.2.7:2000       f1 help"),
        (78, "≋ thread   37 connected   you: thread 17   ping 3 ms   192.0.2.7:2000  f1 help"),
        (74, "≋ thread  37 connected  you: thread 17  ping 3 ms  192.0.2.7:2000  f1 help"),
        (73, "≋ thread  37 connected  you: thread 17  ping 3 ms                 f1 help"),
        (58, "≋ thread  37 connected  you: thread 17  ping 3 ms  f1 help"),
        (57, "≋ thread  37 connected  you: thread 17            f1 help"),
        (47, "≋ thread  37 connected  you: thread 17  f1 help"),
        (46, "≋ thread  37 connected  you: thread 17"),
        (24, "≋ thread  37 connected"),
    ],
)
def test_help_key_is_more_important_than_the_address(width: int, shown: str) -> None:
    assert draw_status(ONLINE, width, with_help=True).plain == shown


def test_without_a_connection_nothing_is_guessed() -> None:
    lost = StatusBarState("waiting", "thread", 37, "thread 17", 0.003, "192.0.2.7:2000")
    assert draw_status(lost, 80).plain == "○ not connected   192.0.2.7:2000"


def test_a_model_of_a_newer_server_is_told_by_name() -> None:
    assert draw_status(StatusBarState("online", "coroutine", 2), 80).plain.startswith("◌ coroutine   2 connected")


@pytest.mark.parametrize("width", range(20, 201))
def test_bar_of_any_width_is_one_row_of_whole_parts(width: int) -> None:
    """No row ends with what parts two parts, and a ping never stands unnamed."""
    standings = (
        ONLINE,
        StatusBarState("online", "process", 12_345, "process 4321987", 1.25, "[2001:db8::1234:5678]:20001"),
        StatusBarState("over", address="a-rather-long-name.example.org:2000"),
    )
    for drawn in (draw_status(one, width, with_help=narrow).plain for one in standings for narrow in (False, True)):
        assert cell_len(drawn) <= width
        assert drawn == drawn.strip()
        parts = re.split(" {2,}", drawn)
        assert all(part.startswith("ping ") for part in parts if part.endswith((" ms", " s")))
        assert "…" not in drawn
