"""How each model looks, everywhere the same: its sign and its colour; and from when on a screen is wide.

The sign tells the models apart without colour; the colours can be read on a dark and on a light background. Line mode
does not know the terminal's background: what it uses can be read on either, and is one of those of xterm's 256 colours
that no theme changes.
"""

from msgspec import Struct

WIDE_SCREEN = 80
"""Columns. Below, a screen is `-narrow`, and does without what can be had elsewhere."""


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
    """The look of a model; of no model in particular where a newer server names one that is not known here."""
    return MODELS.get(model, UNKNOWN)


def css_variables(dark: bool) -> dict[str, str]:
    """The CSS variables that every theme is given: `$model-process`, `$model-thread`, `$model-event`, and `$quiet` for
    what should not draw the eye."""
    models = {f"model-{name}": one.dark if dark else one.light for name, one in MODELS.items()}
    return {**models, "quiet": QUIET.dark if dark else QUIET.light}
