import pytest

from protocol.messages import Rules
from tui.widgets.rules_line import draw

ALL = Rules(locked=True, quiet=True, slow=30, pin="questions at the end")


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
    assert draw(rules, 80).plain.rstrip() == text


def test_the_pin_stands_left_and_the_rest_right() -> None:
    line = draw(ALL, 100).plain
    assert line.startswith("▌ questions at the end ")
    assert line.endswith("  locked   quiet   slow 30 s")
    assert len(line) == 100


def test_where_not_all_fits_the_pin_gives_way() -> None:
    assert draw(ALL, 40).plain == "▌ questions…  locked   quiet   slow 30 s"


def test_pin_on_a_small_terminal_is_readable_with_all_rules() -> None:
    pin = "questions at the end, and the code is in the room"
    assert pin in draw(Rules(locked=True, quiet=True, slow=2.5, pin=pin), 80).plain


@pytest.mark.parametrize("width", range(1, 120))
def test_rules_line_keeps_to_its_width_except_for_a_minimum(width: int) -> None:
    assert draw(Rules(pin="字" * 80), width).cell_length <= max(width, 3)
    assert draw(Rules(locked=True, slow=5), width).cell_length <= width


def test_the_pinned_line_is_no_markup() -> None:
    assert "[b]x[/b] [@click=app.exit]" in draw(Rules(pin="[b]x[/b] [@click=app.exit]"), 80).plain


@pytest.mark.parametrize("width", range(20, 201))
def test_line_of_any_width_ends_with_no_gap(width: int) -> None:
    for rules in (Rules(locked=True, quiet=True, slow=2.5), ALL, Rules(pin="字" * 80, locked=True)):
        line = draw(rules, width).plain
        assert "\n" not in line
        assert line == line.rstrip(), line
