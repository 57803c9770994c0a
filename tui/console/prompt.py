"""ConsolePrompt: the line at the bottom of the operator console, with completion and history, and a toolbar that tells
what the room runs on and costs."""

import re

from prompt_toolkit.styles import Style, merge_styles

from protocol.format import format_bytes, plural
from protocol.messages import MeterReading, Status
from protocol.sanitize import sanitize
from tui.address import Address
from tui.console.talk import ConsoleClient
from tui.line.formatting import Line
from tui.line.prompt import REFUSED_COLOUR, STYLE, PromptLine
from tui.line.terminal import LineTerminal
from tui.line.toolbar import fitted, model_of
from tui.link.room_link import State
from tui.meter_history import format_rate
from tui.model_style import QUIET

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

    def __init__(self, talk: ConsoleClient, terminal: LineTerminal) -> None:
        super().__init__(lambda: talk.line_talk, terminal, self._toolbar, CONSOLE_STYLE, self._typed, ends_room=True)
        self._talk = talk
        self._above = terminal.above

    def _typed(self, text: str) -> bool:
        if text.startswith("/") and not text.startswith("//"):
            # What is said comes back as said; a command would leave nothing to see.
            self._above.show([[("class:prompt", "❯ "), ("class:typed", sanitize(text))]])
        return self._talk.line_talk.typed(text)

    def _toolbar(self, columns: int) -> Line:
        link = self._talk.line_talk.link
        return toolbar(self._talk.metered, link.client.status, link.state, self._talk.address, columns)


def toolbar(metered: MeterReading | None, status: Status | None, state: State, address: Address, columns: int) -> Line:
    """Model, connections, lines a second, memory; or that the console's own connection does not stand, and why."""
    parts: list[Line] = []
    latest = metered or status
    if state.phase != "online":
        parts.append([("bold", f"the console is not in the room{': ' if state.reason else ''}{state.reason}")])
    elif latest is not None:
        # A status comes with a switch, a reading up to a second later.
        parts.append(model_of((status or latest).model))
        parts.append([("", plural(latest.connections, "connection"))])
        if metered is not None:
            parts += [[("", f"{format_rate(metered.lines)} lines/s")], [("", format_bytes(metered.memory))]]
    return fitted([*parts, [("", str(address))]], columns)


def log_line(text: str) -> Line:
    """A line of the server's log, made harmless, with its level to be seen."""
    text = sanitize(text)
    level = _LEVEL.match(text)
    return [(_LEVEL_STYLES[level[1]] if level else "", text)]
