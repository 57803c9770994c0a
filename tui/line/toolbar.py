"""The bottom toolbar of line mode: what runs the room and how the link stands, in one row. Pure.

The words are those of the full screen's status bar. What does not fit is left out whole, the least of it first.
"""

import math
from collections.abc import Sequence
from time import monotonic

from protocol.format import plural
from tui.line.client import LineClient
from tui.line.formatting import Line, text_of
from tui.link.room_link import State
from tui.message_log.layout import truncate
from tui.message_log.wrapping import cells
from tui.meter_history import format_seconds
from tui.model_style import style_of

WIDE_GAP, TIGHT_GAP = "   ", "  "
"""Between two parts, as there is room."""


def toolbar(client: LineClient, columns: int) -> Line:
    """What it shows in so many columns. Of a room that is away nothing is claimed."""
    link, status = client.link, client.link.client.status
    address: Line = [("", str(link.address))]
    if link.state.phase != "online":
        parts: list[Line] = [[("bold", away(link.state))]]
        if waiting := len(link.client.unacknowledged):
            parts.append([("bold", f"{plural(waiting, 'line')} to be said")])
        if link.state.reason:
            parts.append([("", link.state.reason)])
        return fit_parts([*parts, address], columns)
    parts = [[("bold", client.deferred)]] if client.deferred else []
    if status is not None:
        words = (f"{status.connections:,} connected", f"you: {status.served_by}")
        parts += [format_model(status.model), *([("", word)] for word in words)]
    if link.round_trip is not None:
        parts.append([("", f"ping {format_seconds(link.round_trip)}")])
    return fit_parts([*parts, address], columns)


def format_model(name: str) -> Line:
    """A model with its sign, in its colour."""
    model = style_of(name)
    return [(model.any_background, f"{model.sign} {name}")]


def away(state: State) -> str:
    """How a link stands that is not online."""
    if state.phase == "waiting" and state.retry_at < math.inf:
        return f"○ away: next attempt in {max(0, math.ceil(state.retry_at - monotonic()))} s"
    return "○ connecting" if state.phase == "connecting" else "○ not connected"


def fit_parts(parts: Sequence[Line], columns: int) -> Line:
    """As many of the parts, in their order of weight, as fit into one row; the first in any case, cut if it must be."""
    gap = WIDE_GAP if cells(text_of(_joined(parts, WIDE_GAP))) <= columns else TIGHT_GAP
    for count in range(len(parts), 0, -1):
        line = _joined(parts[:count], gap)
        if cells(text_of(line)) <= columns:
            return line
    style = parts[0][0][0] if parts and parts[0] else ""
    return [(style, truncate(text_of(_joined(parts[:1], gap)), columns))]


def _joined(parts: Sequence[Line], gap: str) -> Line:
    """The parts with a gap between any two, and a blank before the first."""
    line: Line = [("", " ")]
    for number, part in enumerate(parts):
        line += [*([("", gap)] if number else []), *part]
    return line
