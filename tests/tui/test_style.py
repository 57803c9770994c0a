import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from tui.message_log.rendering import switch_styles
from tui.style import MODELS, RGB, contrast, luminance, nick_colour, palette, parse_colour, readable

COLOURS = st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
BACKGROUNDS = sorted(
    {Color.parse(theme.background).rgb for theme in BUILTIN_THEMES.values() if (theme.background or "").startswith("#")}
)


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_nicknames_and_models_can_be_read_on_every_theme(background: RGB) -> None:
    for colour in palette(background):
        assert contrast(parse_colour(colour), background) >= 4.5
    for style in switch_styles(style_none(), background).values():
        assert style.color is not None
        assert style.color.triplet is not None
        assert contrast(tuple(style.color.triplet), background) >= 4.5


def style_none():  # type: ignore[no-untyped-def]  # Rich's type is not needed here
    from rich.style import Style

    return Style.null()


@given(COLOURS, COLOURS)
def test_any_colour_becomes_readable_on_any_background(colour: RGB, background: RGB) -> None:
    assert contrast(parse_colour(readable(colour, background)), background) >= 4.5


def test_readable_colour_stays_the_same() -> None:
    assert readable((255, 255, 255), (0, 0, 0)) == "#ffffff"
    assert readable(parse_colour(MODELS["thread"].dark), (20, 22, 27)) == MODELS["thread"].dark


def test_nickname_has_one_colour_in_any_case_and_run() -> None:
    here = nick_colour("Zoë", (0, 0, 0))
    assert nick_colour("zoë", (0, 0, 0)) == here
    script = "from tui.style import nick_colour; print(nick_colour('Zoë', (0, 0, 0)))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == here


def test_nicknames_are_spread_over_the_colours() -> None:
    assert len({nick_colour(f"guest{index}", (0, 0, 0)) for index in range(200)}) == len(palette((0, 0, 0)))


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)
    assert luminance((255, 255, 255)) == pytest.approx(1)
