"""The styles of the message pane: the theme's, with colours that cannot be read replaced by readable ones."""

from rich.color import Color as RichColour
from rich.style import Style
from textual.widget import Widget

from tui.message_log.rendering import ThemeStyles, switch_styles
from tui.style import RGB, readable

ROLES = {
    "time": "quiet",
    "rule": "quiet",
    "day": "quiet",
    "more": "quiet",
    "crowd": "quiet",
    "crowd-sign": "quiet",
    "note": "quiet",
    "note-sign": "quiet",
    "notice": "notice",
    "notice-sign": "notice",
    "error": "error",
    "error-sign": "error",
    "gap": "gap",
    "new": "new",
    "pending": "pending",
}
"""The component for the style of each role of the layout."""
COMPONENTS = {
    f"message-pane--{name}"
    for name in ("quiet", "notice", "error", "gap", "new", "pending", "match", "current", "mention", "bar")
}
DEFAULT_STYLES = """
MessagePane {
    background: $background;
    color: $foreground;
    overflow-x: hidden;
    overflow-y: scroll;
    scrollbar-size-vertical: 1;

    & > .message-pane--quiet { color: $foreground 55%; }
    & > .message-pane--pending { color: $foreground 45%; text-style: italic; }
    & > .message-pane--notice { color: $accent; }
    & > .message-pane--error { color: $error; }
    & > .message-pane--gap { color: $warning; }
    & > .message-pane--new { color: $error; text-style: bold; }
    & > .message-pane--match { background: $warning 35%; }
    & > .message-pane--current { background: $warning; text-style: bold; }
    & > .message-pane--mention { background: $accent 14%; }
    & > .message-pane--bar { color: $accent; }
}
"""


def theme_styles(widget: Widget) -> ThemeStyles:
    """The styles for the current theme."""
    text = widget.rich_style
    background = _background(widget)

    def component(name: str) -> Style:
        return widget.get_component_rich_style(f"message-pane--{name}")

    roles = {role: _readable(component(name), background) for role, name in ROLES.items()}
    roles["action"] = text + Style(italic=True)
    return ThemeStyles(
        text=text,
        roles=roles | switch_styles(text, background),
        link=Style(underline=True),
        match=_laid_over(component("match"), text),
        current=_laid_over(component("current"), text) + Style(bold=True),
        selection=_laid_over(_selection(widget), text),
        mention=Style(bgcolor=component("mention").bgcolor),
        mention_bar=component("bar"),
        background=background,
    )


def _background(widget: Widget) -> RGB:
    """The background of the pane. For the terminal's own colour, only its brightness is known, by the theme."""
    background = widget.background_colors[1]
    if background.ansi is not None:
        return (0, 0, 0) if widget.app.current_theme.dark else (255, 255, 255)
    red, green, blue = background.rgb
    return red, green, blue


def _selection(widget: Widget) -> Style:
    """The screen's style of selected text, without a foreground if it defines none."""
    style = widget.screen.get_component_rich_style("screen--selection")
    return Style(bgcolor=style.bgcolor) if style.color == style.bgcolor else style


def _readable(style: Style, background: RGB) -> Style:
    return style + Style(color=readable(_numbers(style.color), background)) if _is_true(style.color) else style


def _laid_over(style: Style, text: Style) -> Style:
    """A style to lay over text of any colour: its background, and a foreground that is readable on it."""
    if not _is_true(style.bgcolor):
        return style
    colour = style.color if _is_true(style.color) else text.color
    background = _numbers(style.bgcolor)
    return Style(bgcolor=style.bgcolor, color=readable(_numbers(colour), background))


def _is_true(colour: RichColour | None) -> bool:
    """Whether the colour has known RGB values, and is none of the terminal's palette."""
    return colour is not None and colour.triplet is not None


def _numbers(colour: RichColour | None) -> RGB:
    if colour is None or colour.triplet is None:
        return 128, 128, 128
    return colour.triplet.red, colour.triplet.green, colour.triplet.blue
