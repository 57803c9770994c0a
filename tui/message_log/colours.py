"""Colours that are readable on the background of any theme, and the colour of each nickname, the same in every run."""

from colorsys import hls_to_rgb, rgb_to_hls
from functools import lru_cache
from zlib import crc32

RGB = tuple[int, int, int]

HUES = (2, 22, 38, 52, 75, 105, 140, 165, 183, 200, 216, 240, 262, 285, 310, 335)
"""Degrees. They are closer together where the eye distinguishes more colours."""
CONTRAST = 4.6
"""WCAG 2.2 requires 4.5 to 1 (success criterion 1.4.3); the rest is for rounding."""


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


def parse(colour: str) -> RGB:
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
