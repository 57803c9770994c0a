"""The bottom toolbar of line mode: the room's model and the state of the link, in one row.

It uses the wording of the full screen's status bar. Parts that do not fit are left out, the least important first.
"""

import math
from collections.abc import Sequence
from time import monotonic

from protocol.format import plural
from tui.line.client import LineClient
from tui.line.formatting import Line, text_of
from tui.link.room_link import LinkState
from tui.message_log.layout import cells, truncate
from tui.meter_history import format_seconds
from tui.style import style_of

WIDE_GAP, TIGHT_GAP = "   ", "  "
"""Gaps between two parts; the tight one if the wide one does not fit."""


def toolbar(view: LineClient, columns: int) -> Line:
    """Format the toolbar for this width. Without a connection it shows nothing of the room."""
    client, link = view.client, view.client.link
    address: Line = [("", str(link.address))]
    if link.state.phase != "online":
        parts: list[Line] = [[("bold", away(link.state))]]
        if waiting := len(link.client.unacknowledged):
            parts.append([("bold", f"{plural(waiting, 'line')} to be said")])
        if link.state.reason:
            parts.append([("", link.state.reason)])
        return fit_parts([*parts, address], columns)
    parts = [[("bold", view.deferred)]] if view.deferred else []
    if (status := client.status) is not None:
        parts += [format_model(status.model), [("", f"{status.connections:,} connected")]]
        if status.served_by:
            parts.append([("", f"you: {status.served_by}")])
    if link.round_trip is not None:
        parts.append([("", f"ping {format_seconds(link.round_trip)}")])
    return fit_parts([*parts, address], columns)


def format_model(name: str) -> Line:
    """Format a model with its sign, in its colour."""
    model = style_of(name)
    return [(model.any_background, f"{model.sign} {name}")]


def away(state: LinkState) -> str:
    """Describe the state of a link that is not online."""
    if state.phase == "waiting" and state.retry_at < math.inf:
        return f"○ away: next attempt in {max(0, math.ceil(state.retry_at - monotonic()))} s"
    return "○ connecting" if state.phase == "connecting" else "○ not connected"


def fit_parts(parts: Sequence[Line], columns: int) -> Line:
    """Join the first parts that fit into one row. The first part is always shown, and cut if necessary."""
    gap = WIDE_GAP if cells(text_of(_joined(parts, WIDE_GAP))) <= columns else TIGHT_GAP
    for count in range(len(parts), 0, -1):
        line = _joined(parts[:count], gap)
        if cells(text_of(line)) <= columns:
            return line
    style = parts[0][0][0] if parts and parts[0] else ""
    return [(style, truncate(text_of(_joined(parts[:1], gap)), columns))]


def _joined(parts: Sequence[Line], gap: str) -> Line:
    """Join the parts with gaps, after a blank."""
    line: Line = [("", " ")]
    for number, part in enumerate(parts):
        line += [*([("", gap)] if number else []), *part]
    return line
