"""The sign and the colours of each model, the same everywhere; and the width from which a screen is wide.

The sign distinguishes the models without colour. The colours can be read on a dark and on a light background. Line mode
does not know the terminal's background, so its colours can be read on both. They are among those of xterm's 256 colours
that no terminal theme changes.
"""

from msgspec import Struct

WIDE_SCREEN = 80
"""Columns. A screen with fewer is `-narrow`, and hides the parts that are also shown elsewhere."""


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
UNKNOWN = ModelStyle("◌", "#8d95a5", "#666b75", "#767676")
QUIET = UNKNOWN


def style_of(model: str) -> ModelStyle:
    """The style of a model, or UNKNOWN for a model that this version does not know."""
    return MODELS.get(model, UNKNOWN)


def css_variables(dark: bool) -> dict[str, str]:
    """The CSS variables that every theme gets: `$model-process`, `$model-thread`, `$model-event`, and `$quiet` for
    secondary text."""
    models = {f"model-{name}": one.dark if dark else one.light for name, one in MODELS.items()}
    return {**models, "quiet": QUIET.dark if dark else QUIET.light}
