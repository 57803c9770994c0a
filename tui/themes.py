"""The two themes of this app, for a dark and for a light terminal."""

from textual.theme import BUILTIN_THEMES, Theme

DARK = Theme(
    name="room-dark",
    primary="#7aa2f7",
    secondary="#7aa2f7",
    accent="#7aa2f7",
    foreground="#d5d9e2",
    background="#14161b",
    surface="#1b1e25",
    panel="#262a33",
    warning="#e8b04b",
    error="#f0768b",
    success="#5fd38d",
    dark=True,
)
LIGHT = Theme(
    name="room-light",
    primary="#2456b3",
    secondary="#2456b3",
    accent="#2456b3",
    foreground="#22252c",
    background="#fbfaf7",
    surface="#f1efe9",
    panel="#e4e1d8",
    warning="#8f5f00",
    error="#b3263e",
    success="#14713a",
    dark=False,
)
THEMES = (DARK, LIGHT)


def names() -> list[str]:
    """The names of all themes, Textual's and ours."""
    return sorted({*BUILTIN_THEMES, *(theme.name for theme in THEMES)})
