"""ConsolePrompt: the line at the bottom of the operator console, with completion and history, and a toolbar that tells
what the room runs on and costs."""

import re

from prompt_toolkit import PromptSession
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import DynamicCompleter
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.styles import Style, merge_styles

from protocol.messages import Metered, Status
from protocol.text import counted, harmless, size
from tui.address import Address
from tui.console.talk import ConsoleTalk
from tui.line.above import Above
from tui.line.interrupt import ask_first
from tui.line.prompt import STYLE, TalkCompleter
from tui.line.toolbar import fitted, model_of
from tui.line.words import Line
from tui.link.connection import State
from tui.metering import rate

CONSOLE_STYLE = merge_styles(
    [
        STYLE,
        Style.from_dict(
            {"quiet": "ansibrightblack", "typed": "bold", "warning": "ansiyellow", "error": "ansired bold"}
        ),
    ]
)
_LEVEL = re.compile(r"\S+ \S+ (WARNING|ERROR|CRITICAL) ")
_LEVEL_STYLES = {"WARNING": "class:warning", "ERROR": "class:error", "CRITICAL": "class:error"}


class ConsolePrompt:
    """One prompt, from `converse` to `end`."""

    def __init__(self, talk: ConsoleTalk, above: Above) -> None:
        self._talk = talk
        self._above = above
        self._ended = False
        keys = KeyBindings()
        ask_first(keys, above.show)
        self._session: PromptSession[str] = PromptSession(
            [("class:prompt", "❯ ")],
            history=InMemoryHistory(),
            completer=DynamicCompleter(lambda: TalkCompleter(talk.line_talk)),
            complete_while_typing=False,
            enable_suspend=True,
            key_bindings=keys,
            bottom_toolbar=self._toolbar,
            style=CONSOLE_STYLE,
            erase_when_done=True,
        )
        # The prompt stays between two lines, so that no key falls into the gap.
        self._session.default_buffer.accept_handler = self._typed

    async def converse(self) -> None:
        """Take lines until `end` or /quit. Raises EOFError for Ctrl-D, KeyboardInterrupt for Ctrl-C that is meant."""
        if not self._ended:
            await self._session.prompt_async(set_exception_handler=False)

    def end(self) -> None:
        """Take the prompt away."""
        self._ended = True
        app = self._session.app
        if app.is_running and not app.is_done:
            app.exit(result="")

    def changed(self) -> None:
        """Draw the toolbar anew, if the terminal takes it."""
        if self._session.app.is_running and not self._above.clogged:
            self._session.app.invalidate()

    def _typed(self, buffer: Buffer) -> bool:
        text = buffer.text
        if text.startswith("/") and not text.startswith("//"):
            # What is said comes back as said; a command would leave nothing to see.
            self._above.show([[("class:prompt", "❯ "), ("class:typed", harmless(text))]])
        if not self._talk.line_talk.typed(text):
            self.end()
        return False  # It is done with: the line is empty again.

    def _toolbar(self) -> FormattedText:
        link = self._talk.line_talk.link
        columns = self._session.app.output.get_size().columns
        return FormattedText(toolbar(self._talk.metered, link.client.status, link.state, self._talk.address, columns))


def toolbar(metered: Metered | None, status: Status | None, state: State, address: Address, columns: int) -> Line:
    """Model, connections, lines a second, memory; or that the console's own connection does not stand, and why."""
    parts: list[Line] = []
    latest = metered or status
    if state.phase != "online":
        parts.append([("bold", f"the console is not in the room{': ' if state.reason else ''}{state.reason}")])
    elif latest is not None:
        # A status comes with a switch, a reading up to a second later.
        parts.append(model_of((status or latest).model))
        parts.append([("", counted(latest.connections, "connection"))])
        if metered is not None:
            parts += [[("", f"{rate(metered.lines)} lines/s")], [("", size(metered.memory))]]
    return fitted([*parts, [("", str(address))]], columns)


def log_line(text: str) -> Line:
    """A line of the server's log, made harmless, with its level to be seen."""
    text = harmless(text)
    level = _LEVEL.match(text)
    return [(_LEVEL_STYLES[level[1]] if level else "", text)]
