"""ConsolePrompt: the line at the bottom of the operator console, with completion and history, and a toolbar that tells
what the room runs on and costs."""

import re

from prompt_toolkit import PromptSession
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import DynamicCompleter
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.styles import Style, merge_styles

from protocol.messages import Metered, Status
from protocol.text import harmless, size
from tui.address import Address
from tui.console.talk import ConsoleTalk
from tui.line.above import Above
from tui.line.prompt import STYLE, TalkCompleter
from tui.line.words import Line, Piece
from tui.link.connection import State
from tui.look import look
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
        self._session: PromptSession[str] = PromptSession(
            [("class:prompt", "❯ ")],
            history=InMemoryHistory(),
            completer=DynamicCompleter(lambda: TalkCompleter(talk.line_talk)),
            complete_while_typing=False,
            bottom_toolbar=self._toolbar,
            style=CONSOLE_STYLE,
            erase_when_done=True,
        )
        # The prompt stays between two lines, so that no key falls into the gap.
        self._session.default_buffer.accept_handler = self._typed

    async def converse(self) -> None:
        """Take lines until `end`, or until /quit. Raises EOFError for Ctrl-D, KeyboardInterrupt for Ctrl-C."""
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
        return FormattedText(toolbar(self._talk.metered, link.client.status, link.state, self._talk.address))


def toolbar(metered: Metered | None, status: Status | None, state: State, address: Address) -> list[Piece]:
    """Model, connections, lines a second, memory; and how the console's own connection stands where it does not."""
    latest = metered or status
    parts: list[Piece] = []
    if latest is not None:
        # A status comes with a switch, a reading up to a second later.
        model = (status or latest).model
        many = "connection" if latest.connections == 1 else "connections"
        parts += [(look(model).dark, f" {look(model).sign} {model}"), ("", f"   {latest.connections:,} {many}")]
    if metered is not None:
        parts.append(("", f"   {rate(metered.lines)} lines/s   {size(metered.memory)}"))
    if state.phase != "online":
        parts.append(("bold", f"   the console is not in the room{': ' if state.reason else ''}{state.reason}"))
    return [*parts, ("", f"   {address}")]


def log_line(text: str) -> Line:
    """A line of the server's log, made harmless, with its level to be seen."""
    text = harmless(text)
    level = _LEVEL.match(text)
    return [(_LEVEL_STYLES[level[1]] if level else "", text)]
