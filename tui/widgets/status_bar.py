"""StatusBar: the model of the room and the state of the connection, in one line, as the server told them.

On a screen that is too narrow for Keys, it names the key for help.
"""

from msgspec import Struct
from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui.meter_history import format_seconds
from tui.style import WIDE_SCREEN, style_of


class StatusBarState(Struct, frozen=True):
    """The values to show. `round_trip` is in seconds; `phase` is the link's."""

    phase: str = "connecting"
    model: str = ""
    connections: int = 0
    served_by: str = ""
    round_trip: float | None = None
    address: str = ""


WIDE, TIGHT = "   ", "  "
"""The gap between two parts: WIDE if all parts fit with it."""
MAX_PARTS_BEFORE_HELP = 3
"""The model, the connections and the worker. On a narrow screen the key for help comes before all other parts."""
HELP = Content.assemble(("f1", "$footer-key-foreground bold"), " help")


class StatusBar(Widget):
    """It draws a StatusBarState. Parts that do not fit are left out, from the end."""

    state: reactive[StatusBarState] = reactive(StatusBarState())

    def render(self) -> Content:
        return draw(self.state, self.size.width, with_help=self.app.size.width < WIDE_SCREEN)

    async def on_click(self, event: events.Click) -> None:
        """Open the help at a click on its key."""
        from_the_right = self.size.width - event.get_content_offset_capture(self).x
        if self.render().plain.endswith(HELP.plain) and from_the_right <= HELP.cell_length:
            await self.run_action("app.help")


def draw(state: StatusBarState, width: int, *, with_help: bool = False) -> Content:
    """The first parts of the state that fit into `width` cells, the most important ones first. `with_help`, the key for
    help is at the end, if the parts before the ping leave room for it."""
    parts = _parts(state)
    beside = width - HELP.cell_length - len(TIGHT)
    if with_help and _length(parts[:MAX_PARTS_BEFORE_HELP], TIGHT) <= beside:
        line = _fitting(parts, beside)
        return line.pad_right(width - HELP.cell_length - line.cell_length) + HELP
    return _fitting(parts, width)


def _fitting(parts: list[Content], width: int) -> Content:
    gap = WIDE if _length(parts, WIDE) <= width else TIGHT
    line = parts[0]
    for part in parts[1:]:
        longer = line + gap + part
        if longer.cell_length > width:
            break
        line = longer
    return line.truncate(width, ellipsis=True)


def _length(parts: list[Content], gap: str) -> int:
    return sum(part.cell_length for part in parts) + len(gap) * (len(parts) - 1)


def _parts(state: StatusBarState) -> list[Content]:
    address = Content.styled(state.address, "$quiet")
    if state.phase != "online":
        label = "○ left" if state.phase == "over" else "○ not connected"
        return [Content.styled(label, "$warning bold"), address]
    parts = [_model(state.model), Content(f"{state.connections:,} connected")]
    if state.served_by:
        parts.append(Content.styled(f"you: {state.served_by}", "$quiet"))
    if state.round_trip is not None:
        parts.append(Content.styled(f"ping {format_seconds(state.round_trip)}", "$quiet"))
    return [*parts, address]


def _model(model: str) -> Content:
    known = style_of(model)
    style = f"$model-{model} bold" if model in ("process", "thread", "event") else "bold"
    return Content.styled(f"{known.sign} {model}", style)
