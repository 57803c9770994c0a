"""ConsolePrompt: the input line of the operator console, with completion, history, and a toolbar with the model and the
meter."""

import re

from prompt_toolkit.styles import Style, merge_styles

from protocol.format import format_bytes, plural
from protocol.sanitize import sanitize
from tui.client import RoomClient
from tui.console.client import ConsoleClient
from tui.line.formatting import Line
from tui.line.prompt import REFUSED_COLOUR, STYLE, PromptLine
from tui.line.terminal import LineTerminal
from tui.line.toolbar import fit_parts, format_model
from tui.meter_history import format_rate
from tui.style import QUIET

WARNING_COLOUR = "#af5f00"
CONSOLE_STYLE = merge_styles(
    [
        STYLE,
        Style.from_dict(
            {
                "quiet": QUIET.any_background,
                "typed": "bold",
                "warning": WARNING_COLOUR,
                "error": f"{REFUSED_COLOUR} bold",
            }
        ),
    ]
)
_LEVEL = re.compile(r"\S+ \S+ (WARNING|ERROR|CRITICAL) ")
_LEVEL_STYLES = {"WARNING": "class:warning", "ERROR": "class:error", "CRITICAL": "class:error"}


class ConsolePrompt(PromptLine):
    """One prompt, from `run` to `end`."""

    def __init__(self, view: ConsoleClient, terminal: LineTerminal) -> None:
        super().__init__(view.client, terminal, self._toolbar, CONSOLE_STYLE, self._handle_line, ends_room=True)
        self._view = view
        self._printer = terminal.printer

    def _handle_line(self, text: str) -> bool:
        if text.startswith("/") and not text.startswith("//"):
            # A message comes back as an event; a command would leave no trace.
            self._printer.show([[("class:prompt", "❯ "), ("class:typed", sanitize(text))]])
        return self._view.handle_input(text)

    def _toolbar(self, columns: int) -> Line:
        return toolbar(self._view.client, columns)


def toolbar(client: RoomClient, columns: int) -> Line:
    """Format model, connections, lines per second and memory, or why the console is not connected."""
    link, status, reading = client.link, client.status, client.meter_history.last
    parts: list[Line] = []
    latest = reading or status
    if link.state.phase != "online":
        reason = f": {link.state.reason}" if link.state.reason else ""
        parts.append([("bold", f"the console is not in the room{reason}")])
    elif latest is not None:
        # A status arrives with a switch, a reading up to a second later.
        parts.append(format_model((status or latest).model))
        parts.append([("", plural(latest.connections, "connection"))])
        if reading is not None:
            parts += [[("", f"{format_rate(reading.lines)} lines/s")], [("", format_bytes(reading.memory))]]
    return fit_parts([*parts, [("", str(link.address))]], columns)


def log_line(text: str) -> Line:
    """Format a line of the server's log: sanitized, in the colour of its level."""
    text = sanitize(text)
    level = _LEVEL.match(text)
    return [(_LEVEL_STYLES[level[1]] if level else "", text)]
