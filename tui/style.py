"""The look of the models (sign, colours, big letters) and of nicknames, without a screen. Pure.

A sign distinguishes the models without colour. The colours can be read on a dark and on a light background. Line mode
does not know the terminal's background, so its colours can be read on both. They are among those of xterm's 256 colours
that no terminal theme changes.
"""

from colorsys import hls_to_rgb, rgb_to_hls
from functools import lru_cache
from zlib import crc32

from msgspec import Struct

WIDE_SCREEN = 80
"""Columns. A screen with fewer is `-narrow`, and hides the parts that are also shown elsewhere."""
RGB = tuple[int, int, int]
HUES = (2, 22, 38, 52, 75, 105, 140, 165, 183, 200, 216, 240, 262, 285, 310, 335)
"""Degrees. They are closer together where the eye distinguishes more colours."""
CONTRAST = 4.6
"""WCAG 2.2 requires 4.5 to 1 (success criterion 1.4.3); the rest is for rounding."""
BANNERS = {
    "process": """\
┏━┓┏━┓┏━┓┏━╸┏━╸┏━┓┏━┓
┣━┛┣┳┛┃ ┃┃  ┣╸ ┗━┓┗━┓
╹  ╹┗╸┗━┛┗━╸┗━╸┗━┛┗━┛""",
    "thread": """\
╺┳╸╻ ╻┏━┓┏━╸┏━┓╺┳┓
 ┃ ┣━┫┣┳┛┣╸ ┣━┫ ┃┃
 ╹ ╹ ╹╹┗╸┗━╸╹ ╹╺┻┛""",
    "event": """\
┏━╸╻ ╻┏━╸┏┓╻╺┳╸
┣╸ ┃┏┛┣╸ ┃┗┫ ┃
┗━╸┗┛ ┗━╸╹ ╹ ╹""",
}


class ModelStyle(Struct, frozen=True):
    """A model's sign, and its colour on a dark, on a light and on an unknown background."""

    sign: str
    dark: str
    light: str
    any_background: str


MODELS = {
    "process": ModelStyle("▣", "#f0b132", "#8f5f00", "#af5f00"),
    "thread": ModelStyle("≋", "#b79bff", "#6a3fc4", "#875fd7"),
    "event": ModelStyle("↻", "#5fd38d", "#14713a", "#00875f"),
}
UNKNOWN = QUIET = ModelStyle("◌", "#8d95a5", "#666b75", "#767676")


def style_of(model: str) -> ModelStyle:
    """The style of a model, or UNKNOWN for a model that this version does not know."""
    return MODELS.get(model, UNKNOWN)


def content_style(model: str) -> str:
    """The style of a model's name in Textual's content: bold, and in the model's colour if it is known."""
    return f"$model-{model} bold" if model in MODELS else "bold"


def css_variables(dark: bool) -> dict[str, str]:
    """The CSS variables that every theme gets: `$model-process`, `$model-thread`, `$model-event`, and `$quiet` for
    secondary text."""
    models = {f"model-{name}": one.dark if dark else one.light for name, one in MODELS.items()}
    return {**models, "quiet": QUIET.dark if dark else QUIET.light}


@lru_cache(maxsize=8)
def palette(background: RGB) -> tuple[str, ...]:
    """A colour for each of HUES, readable on `background`."""
    return tuple(readable(_rgb(hue / 360, 0.6, 0.62), background) for hue in HUES)


def nick_colour(nick: str, background: RGB) -> str:
    """The colour of `nick`, as #rrggbb. It is computed with CRC-32, as `hash` differs in every run."""
    colours = palette(background)
    return colours[crc32(nick.casefold().encode("utf-8", "replace")) % len(colours)]


def readable(colour: RGB, background: RGB) -> str:
    """`colour`, made lighter or darker until it is readable on `background`, as #rrggbb."""
    hue, lightness, saturation = rgb_to_hls(*(part / 255 for part in colour))
    lighter = is_dark(background)
    while contrast(colour, background) < CONTRAST and lightness != (1.0 if lighter else 0.0):
        lightness = min(lightness + 0.02, 1.0) if lighter else max(lightness - 0.02, 0.0)
        colour = _rgb(hue, lightness, saturation)
    return "#{:02x}{:02x}{:02x}".format(*colour)


def parse_colour(colour: str) -> RGB:
    """The three numbers of a colour #rrggbb."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast(one: RGB, other: RGB) -> float:
    """The contrast ratio of WCAG, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def is_dark(background: RGB) -> bool:
    """Whether white is more readable on `background` than black."""
    return luminance(background) < 0.179


def luminance(colour: RGB) -> float:
    """Relative luminance of an sRGB colour, from 0 to 1."""
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _rgb(hue: float, lightness: float, saturation: float) -> RGB:
    red, green, blue = hls_to_rgb(hue, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def banner_text(model: str) -> str:
    """The name in letters three rows tall, drawn like Textual's `Digits`. The name of an unknown model is
    on the middle row as it is."""
    return BANNERS.get(model, f"\n{model}\n")
