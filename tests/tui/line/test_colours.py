"""The colours of line mode and the console are readable on light and dark terminals; the background is unknown."""

import pytest

from tui.console.prompt import CONSOLE_STYLE
from tui.line.prompt import STYLE
from tui.style import MODELS, UNKNOWN, contrast, parse_colour

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
TINTED = ("#fdf6e3", "#fafafa", "#f5f5f5", "#1e1e1e", "#002b36", "#282a36")
"""Backgrounds of Solarized, One Light, GNOME, VS Code and Dracula."""
CLASSES = [name for names, _ in [*STYLE.style_rules, *CONSOLE_STYLE.style_rules] for name in names.split()]
USED = sorted(
    {f"#{CONSOLE_STYLE.get_attrs_for_style_str(f'class:{name}').color}" for name in CLASSES}
    | {model.any_background for model in (*MODELS.values(), UNKNOWN)}
)


def test_no_style_has_a_background_or_a_hidden_text() -> None:
    for name in CLASSES:
        attributes = CONSOLE_STYLE.get_attrs_for_style_str(f"class:{name}")
        assert (attributes.bgcolor, attributes.hidden) == ("", False), name


@pytest.mark.parametrize("colour", [colour for colour in USED if colour != "#"])
def test_colour_on_any_background_is_readable(colour: str) -> None:
    """WCAG 2.2 asks for 4.5 to 1, and for 3 to 1 where letters are large (success criterion 1.4.3). No colour reaches 5
    to 1 on both white and black."""
    assert contrast(parse_colour(colour), WHITE) > 4.3
    assert contrast(parse_colour(colour), BLACK) > 4.3
    for background in TINTED:
        assert contrast(parse_colour(colour), parse_colour(background)) > 3, background


@pytest.mark.parametrize("colour", [colour for colour in USED if colour != "#"])
def test_colour_is_one_that_no_theme_changes(colour: str) -> None:
    """The colour cube and the greys of xterm's 256 colours; prompt_toolkit sends the nearest of them."""
    parts = parse_colour(colour)
    is_grey = len(set(parts)) == 1 and (parts[0] - 8) % 10 == 0
    assert is_grey or set(parts) <= {0, 95, 135, 175, 215, 255}
