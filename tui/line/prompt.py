"""The line mode's prompt: what is typed stays where it is while what the room tells is printed above it.

A shell around `line_talk`, with prompt_toolkit for the keys, the history, the completion and the bottom toolbar. It
writes no control to the terminal but prompt_toolkit's own and the bell.
"""

import asyncio
import shutil
from collections.abc import Iterable, Iterator

from msgspec.structs import replace
from prompt_toolkit import PromptSession, print_formatted_text
from prompt_toolkit.buffer import CompletionState
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.styles import Style
from prompt_toolkit.validation import ValidationError, Validator

from protocol.text import NicknameRefused, check_nickname
from tui.address import Address
from tui.line.interrupt import ask_first
from tui.line.talk import LineTalk, NotLetIn
from tui.line.toolbar import toolbar
from tui.line.words import NICK_STYLES, Line, broken, note
from tui.minutes.minutes import Minutes
from tui.settings import Settings
from tui.typed.completion import complete

EXIT_FAILURE, EXIT_UNREACHABLE, EXIT_INTERRUPTED = 1, 69, 130
NICK_COLOURS = ("ansicyan", "ansigreen", "ansiyellow", "ansimagenta", "ansiblue", "ansired")
STYLE = Style.from_dict(
    {
        "own": "bold",
        "room": "ansibrightblack",
        "refused": "ansired",
        "note": "ansibrightblack italic",
        "action": "italic",
        "bottom-toolbar": "noreverse",
        "prompt": "bold",
        **{name.removeprefix("class:"): colour for name, colour in zip(NICK_STYLES, NICK_COLOURS, strict=True)},
    }
)


class _Over(Exception):
    """The room let us go while a line was being typed."""


class Prompt:
    """A person at a terminal, in one room."""

    def __init__(self, address: Address, nick: str, settings: Settings, key: bytes, minutes: Minutes) -> None:
        self.talk = LineTalk(
            address,
            nick,
            show=show,
            show_own=True,
            key=key,
            minutes=minutes,
            on_mention=self._ring,
            on_change=self._changed,
        )
        self._bell = settings.bell
        keys = _keys()
        if key:
            ask_first(keys, show)
        self._session: PromptSession[str] = PromptSession(
            [("class:prompt", "❯ ")],
            history=InMemoryHistory(),
            completer=TalkCompleter(self.talk),
            complete_while_typing=False,
            enable_suspend=True,
            key_bindings=keys,
            bottom_toolbar=self._toolbar,
            refresh_interval=1.0,
            style=STYLE,
            # What was said is printed once the room has said it: the typed line need not stay.
            erase_when_done=True,
        )

    async def converse(self) -> int:
        """Be in the room until the person leaves or is let go. Returns the exit code."""
        watching = asyncio.create_task(self._watch())
        try:
            while not self.talk.over.is_set():
                if not self.talk.typed(await self._session.prompt_async()):
                    return 0
        except EOFError:
            return 0
        except KeyboardInterrupt:
            return EXIT_INTERRUPTED
        except _Over:
            pass
        finally:
            watching.cancel()
        goodbye = self.talk.link.goodbye
        return 0 if goodbye is not None and goodbye.code == "quit" else EXIT_FAILURE

    async def _watch(self) -> None:
        await self.talk.over.wait()
        if self._session.app.is_running:
            self._session.app.exit(exception=_Over())

    def _changed(self) -> None:
        if self._session.app.is_running:
            self._session.app.invalidate()

    def _ring(self) -> None:
        if self._bell:
            self._session.app.output.bell()
            self._session.app.output.flush()

    def _toolbar(self) -> FormattedText:
        return FormattedText(toolbar(self.talk, self._session.app.output.get_size().columns))


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("tab")
    def complete_now(event: KeyPressEvent) -> None:
        """The likeliest first. At once, and not in the background: whoever types on does not wait for it."""
        buffer = event.current_buffer
        if buffer.complete_state:
            buffer.complete_next()
            return
        asked = CompleteEvent(completion_requested=True)
        found = list(buffer.completer.get_completions(buffer.document, asked))
        if len(found) == 1:
            buffer.apply_completion(found[0])
        elif found:
            buffer.complete_state = CompletionState(buffer.document, found)
            buffer.go_to_completion(0)

    return keys


class TalkCompleter(Completer):
    """Offers what `tui.typed.completion` finds."""

    def __init__(self, talk: LineTalk) -> None:
        self._talk = talk

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        client = self._talk.link.client
        cursor = document.cursor_position
        found = complete(
            document.text,
            cursor,
            people=client.people,
            speakers=self._talk.speakers.latest_first,
            me=client.nick,
            operator=self._talk.operator,
            screen=False,
        )
        for one in found:
            yield Completion(one.text, start_position=one.start - cursor)


class _NicknameValidator(Validator):
    """The server's own check, at once."""

    def validate(self, document: Document) -> None:
        try:
            check_nickname(document.text.strip())
        except NicknameRefused as error:
            raise ValidationError(len(document.text), str(error)) from None


async def ask_nickname(address: Address, default: str) -> str:
    """Ask for a nickname that will do. Raises EOFError and KeyboardInterrupt."""
    session: PromptSession[str] = PromptSession(
        [("class:prompt", f"your nickname in {address}: ")],
        validator=_NicknameValidator(),
        validate_while_typing=False,
        style=STYLE,
        erase_when_done=True,
    )
    return check_nickname((await session.prompt_async(default=default)).strip())


async def take_part(
    address: Address, nick: str | None, settings: Settings, key: bytes, minutes: Minutes
) -> tuple[int, Settings]:
    """Ask for a nickname where none was given, then be in the room. Returns the exit code, and what to remember."""
    try:
        prompt = Prompt(address, nick or await ask_nickname(address, settings.nick), settings, key, minutes)
    except (EOFError, KeyboardInterrupt) as end:
        return EXIT_INTERRUPTED if isinstance(end, KeyboardInterrupt) else 0, settings
    talk = prompt.talk
    link = asyncio.create_task(talk.link.run())
    try:
        await _enter(talk, address)
        return await prompt.converse(), replace(settings, nick=talk.link.client.nick)
    except NotLetIn as failure:
        show([note(f"{address} cannot be joined: {failure}")])
        return EXIT_FAILURE if failure.reached else EXIT_UNREACHABLE, settings
    except (EOFError, KeyboardInterrupt) as end:
        return EXIT_INTERRUPTED if isinstance(end, KeyboardInterrupt) else 0, settings
    finally:
        await talk.link.close()
        await link


async def _enter(talk: LineTalk, address: Address) -> None:
    while True:
        try:
            await talk.let_in()
            return
        except NotLetIn as failure:
            if failure.refused is None:
                raise
            show([note(str(failure))])
            talk.introduce(await ask_nickname(address, failure.refused.suggestion))


def show(lines: list[Line]) -> None:
    """Print lines above the prompt."""
    columns = shutil.get_terminal_size().columns
    rows = [row for line in lines for row in broken(line, columns)]
    print_formatted_text(FormattedText(_joined(rows)), style=STYLE)


def _joined(rows: list[Line]) -> Iterator[tuple[str, str]]:
    for number, row in enumerate(rows):
        if number:
            yield "", "\n"
        yield from row
