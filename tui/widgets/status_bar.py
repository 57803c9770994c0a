"""StatusBar: what runs the room and how well we are connected to it, in one line: what the server told, no guess."""

from msgspec import Struct
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui.look import look
from tui.metering import span


class Standing(Struct, frozen=True):
    """What is known now. `round_trip` is in seconds; `phase` is the link's."""

    phase: str = "connecting"
    model: str = ""
    connections: int = 0
    served_by: str = ""
    round_trip: float | None = None
    address: str = ""


class StatusBar(Widget):
    """Draws a Standing, and leaves out what does not fit, from the end."""

    standing: reactive[Standing] = reactive(Standing())

    def render(self) -> Content:
        return draw(self.standing, self.size.width)


def draw(standing: Standing, width: int) -> Content:
    """As many of the standing's parts, in their order of weight, as fit into `width` cells."""
    parts = _parts(standing)
    gap = "   " if sum(part.cell_length for part in parts) + 3 * (len(parts) - 1) <= width else "  "
    line = Content("")
    for part in parts:
        longer = line + gap + part if line else part
        if line and longer.cell_length > width:
            break
        line = longer
    return line.truncate(width, ellipsis=True)


def _parts(standing: Standing) -> list[Content]:
    address = Content.styled(standing.address, "$quiet")
    if standing.phase != "online":
        state = "○ left" if standing.phase == "over" else "○ not connected"
        return [Content.styled(state, "$warning bold"), address]
    parts = [_model(standing.model), Content(f"{standing.connections:,} connected")]
    if standing.served_by:
        parts.append(Content.styled(f"you: {standing.served_by}", "$quiet"))
    if standing.round_trip is not None:
        parts.append(Content.styled(span(standing.round_trip), "$quiet"))
    return [*parts, address]


def _model(model: str) -> Content:
    known = look(model)
    style = f"$model-{model} bold" if model in ("process", "thread", "event") else "bold"
    return Content.styled(f"{known.sign} {model}", style)
