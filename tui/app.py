"""ChatApp: the full-screen app. It owns the link to the room and, for a host, the server of the room.

The screens show the content. At each kind of end (quit, Ctrl-C, a signal, a crash) the room is told, the hosted server
is stopped, and the terminal is restored.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from msgspec.structs import replace
from rich.console import RenderableType
from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App, SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.dom import DOMNode
from textual.message import Message
from textual.screen import Screen
from textual.theme import Theme
from textual.widgets import Input

from protocol.client import Received
from protocol.messages import Goodbye, Presence, Refused, Welcome
from protocol.sanitize import sanitize
from tui.address import Address
from tui.desktop import BellLimit
from tui.link.room_link import NICKNAME_CODES, RoomLink, State
from tui.screens.dialogs import LeaveScreen
from tui.screens.help import HelpScreen
from tui.screens.nickname import NicknameField, NicknameScreen
from tui.screens.palette import CommandProvider, Palette, everything, is_searching
from tui.settings import Settings, not_remembered
from tui.style import WIDE_SCREEN, css_variables
from tui.terminal.driver import TerminalDriver
from tui.terminal.frame import DrawnText
from tui.terminal.input_queue import InputQueue, has_handled_all, is_waiting
from tui.themes import DARK, THEMES
from tui.transcript.transcript import Transcript
from tui.widgets.key_order import keeps_focus

if TYPE_CHECKING:  # These are imported at their first use, so that the prompt appears sooner.
    from tui.hosting.hosted_server import HostedServer, HostOptions
    from tui.screens.chat import ChatScreen

FAILED = 1
UNREACHABLE = 69
"""The exit code if no room could be reached (EX_UNAVAILABLE)."""
INTERRUPTED = 130
BASE_SCREENS = 2
"""Textual's empty screen, and the prompt or the room above it."""


class ChatApp(App[None]):
    """The exit code is `return_code`: 0; 1 after a crash, a failure of the hosted room or a refusal of the room; 2 if
    the hosted server refused an option; 69 if the room was never reached; 130 after Ctrl-C."""

    TITLE = "A tale of three chat rooms"
    CSS_PATH = ["app.tcss", "host.tcss"]  # noqa: RUF012  # no ClassVar in App either
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_SCREEN, "-wide"), (120, "-roomy"), (150, "-ample")]  # noqa: RUF012
    COMMANDS = {CommandProvider}  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (14, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "help"),
        Binding("ctrl+q", "quit", "Leave", show=False, priority=True),
        Binding("ctrl+r", "reconnect", "Connect again", show=False),
        Binding("f9", "panic", "Panic", show=False, priority=True),
        Binding("ctrl+c", "interrupt", "clear, leave", priority=True),
        Binding("ctrl+l", "redraw", "Draw the screen anew", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, priority=True),
    ]

    def __init__(
        self,
        *,
        address: Address | None,
        nick: str,
        host: HostOptions | None,
        settings: Settings,
        remember: Callable[[Settings], object] = lambda settings: None,
        transcript: Transcript | None = None,
        make_link: Callable[..., RoomLink] = RoomLink,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`address` is the room to join; `host` says how to open one instead. A `nick` makes the question for it
        unnecessary. `remember` is called with the settings after each change, and returns False if it could not write
        them. `transcript` gets all events of the room. `now` returns seconds since the epoch."""
        super().__init__(TerminalDriver)
        for theme in THEMES:
            self.register_theme(theme)
        self.transcript = transcript or Transcript(now=now)
        self.settings = settings
        self.now, self.monotonic = now, monotonic
        self._bell_limit = BellLimit()
        self.link: RoomLink | None = None
        self.chat_screen: ChatScreen | None = None
        """The screen of the room, once the room has accepted us."""
        self.hosted_server: HostedServer | None = None
        """The room we host."""
        if host is not None:
            from tui.hosting import hosted_server

            self.hosted_server = hosted_server.HostedServer(host)
        self._address = address
        self._nick = nick
        self._remember = remember
        self._reported_unsaved = False
        """Settings could not be written, and the user has been told."""
        self._make_link = make_link
        self._prompt = NicknameScreen(self.title, nick or settings.nick, monotonic)
        self._suggested = ""
        """The nickname that the room suggested. It is not remembered: ours may be free the next time."""
        self._input_history: list[str] = []
        self._input = InputQueue(
            super().post_message,
            is_settled=self._has_handled_input,
            keeps_focus=self._keeps_focus,
            is_held=self._is_held,
        )
        self._leaving = False
        self._early_code: int | None = None
        """The exit code of a signal that came before the app was mounted."""
        self._has_started = False
        self._has_entered = False
        """The room has accepted us, by the events so far."""
        self._room_answered = False
        """A room has answered."""

    # Beginning

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return css_variables(self.current_theme.dark)

    def on_load(self) -> None:
        """Handle signals before the terminal's modes change: a default action would not restore them."""
        loop = asyncio.get_running_loop()
        for number, code in ((signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, INTERRUPTED)):
            loop.add_signal_handler(number, self.leave_soon, code)

    async def on_mount(self) -> None:
        wanted = self.settings.theme or DARK.name
        self.theme = wanted if wanted in self.available_themes else DARK.name
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        self.transcript.on_trouble = self._report_problem
        self.run_worker(self.transcript.sync_forever(), name="transcript")
        await self.push_screen(self._prompt)
        if self.hosted_server is not None:
            self.run_worker(self._host(self.hosted_server), name="host")
        self._show_address()
        if self._nick:
            self._prompt.show_joining()
            self._join()
        self._has_started = True
        if self._early_code is not None:
            self.leave_soon(self._early_code)

    @property
    def invitations(self) -> list[Address]:
        """The addresses for others to join, if we host the room."""
        return self.hosted_server.invitations if self.hosted_server is not None else []

    def _show_address(self) -> None:
        if self._address is None:
            self._prompt.room = "Opening a room …"
        elif self.invitations:
            self._prompt.room = f"Your room is open. Others join with\nchat-tui {self.invitations[0]}"
        else:
            self._prompt.room = f"The room at {self._address}"
        if self.chat_screen is not None:
            self.chat_screen.show_address()

    # Hosting

    async def _host(self, server: HostedServer) -> None:
        """Run the hosted room, and show the reason when it ends."""
        await server.run_until_ended(self._opened)
        if self.chat_screen is not None and self.link is not None:
            self.chat_screen.show_link_state(self.link.state)
        elif server.ended:
            self._prompt.show_failure(server.ended, keys="Ctrl+R tries again")

    def _opened(self, address: Address) -> None:
        self._address = address
        self._prompt.clear_failure()
        self._show_address()
        self._join()

    @property
    def room_end_reason(self) -> str:
        """A sentence with the reason why the hosted room ended; empty while it runs, or if we host none."""
        return self.hosted_server.ended if self.hosted_server is not None else ""

    # The link

    def on_nickname_screen_chosen(self, message: NicknameScreen.Chosen) -> None:
        self._nick = message.nick
        if message.nick != self._suggested:
            self.change_settings(nick=message.nick)
        if self.link is not None:
            self.link.introduce(message.nick)
        self._join()

    def _join(self) -> None:
        """Connect to the room once there are a nickname and an address; again if the link has ended."""
        if not self._nick or self._address is None:
            return
        if self.link is None:
            self.link = self._make_link(
                self._address,
                self._nick,
                on_events=self._on_events,
                on_state=self._on_link_state,
                on_note=self._on_note,
            )
        if not self.link.is_running:
            self.run_worker(self.link.run(), name="link")
        if self.hosted_server is not None:
            self.link.operator(self.hosted_server.operator_key)
        self.link.retry_now()

    def _on_events(self, events: list[Received]) -> None:
        self._room_answered = True
        told = []
        for event in events:
            if isinstance(event, Welcome):
                self._has_entered = True
                self._enter_room()
            elif isinstance(event, Refused) and event.code in NICKNAME_CODES and self._is_outside:
                self._ask_for_other_nick(event)
            elif isinstance(event, Goodbye) and not self._has_entered:
                continue  # A refusal for us alone: the banner shows it.
            elif isinstance(event, Presence) and any(new == self._own_nick for _, new in event.renamed):
                self.change_settings(nick=self._own_nick)
            told.append(event)
        self.transcript.record(told)
        if self.chat_screen is not None and self.is_running:
            self.chat_screen.on_events(told)

    def _report_problem(self, sentence: str) -> None:
        """Show a sentence about a failure in the pane, as soon as there is one."""
        self.transcript.pending_notices.append(sanitize(sentence))
        if self.chat_screen is not None:
            self.chat_screen.on_events([])

    def _on_note(self, sentence: str) -> None:
        """Show a note of the link, which is no event of the room."""
        if self.chat_screen is not None and self.is_running:
            self.chat_screen.note(sentence)

    @property
    def _own_nick(self) -> str:
        return self.link.client.nick if self.link is not None else ""

    @property
    def _is_outside(self) -> bool:
        return self.link is not None and not self.link.client.in_room

    def _enter_room(self) -> None:
        if self.link is None:
            return
        self._nick = self.link.client.nick
        if self.hosted_server is None:
            self.change_settings(rooms=self.settings.with_room(self.link.address).rooms)
        if self.chat_screen is None:
            # Imported here, so that the prompt for the nickname appears sooner.
            from tui.screens.chat import ChatScreen

            self.chat_screen = ChatScreen(self.link, self._input_history)
            self.call_later(self._show_room, self.chat_screen)
        elif self._prompt in self.screen_stack and self.chat_screen in self.screen_stack:
            self.call_later(self._return_to_room, self.chat_screen)

    def _show_room(self, chat: ChatScreen) -> None:
        """Close the screens above the prompt, such as the palette, and replace the prompt by the room."""
        while self._prompt in self.screen_stack and self.screen is not self._prompt:
            self.pop_screen()
        self.switch_screen(chat)
        self._input.release(events.Callback(callback=chat.action_card) if self.hosted_server is not None else None)

    def _return_to_room(self, chat: ChatScreen) -> None:
        while self.screen is not chat:
            self.pop_screen()
        self._input.release()

    # Input of the terminal

    def post_message(self, message: Message) -> bool:
        """Queue input of the terminal, so that it keeps its order; post other messages as Textual does."""
        if not isinstance(message, events.InputEvent | events.Paste) or message.is_forwarded:
            return super().post_message(message)
        self._input.put(message)
        return True

    def _has_handled_input(self, thorough: bool) -> bool:
        if not self._has_started or not is_waiting(self) or is_searching(self):
            return False
        if thorough:
            return has_handled_all(self.screen)
        return all(is_waiting(node) for node in (self.screen.focused or self.screen).ancestors_with_self)

    def _keeps_focus(self, event: events.Event) -> bool:
        return bool(self.screen_stack) and keeps_focus(event, self.focused)

    def _is_held(self, event: events.Event) -> bool:
        """Whether this input is meant for the room that is being joined."""
        if not self.screen_stack or self.screen is not self._prompt or not self._prompt.is_joining:
            return False
        is_ours = isinstance(event, events.Key) and event.key in self._bindings.key_to_bindings
        return isinstance(event, events.Key | events.Paste) and not is_ours

    def _ask_for_other_nick(self, refused: Refused) -> None:
        if self._prompt not in self.screen_stack:
            self._prompt = NicknameScreen(self.title, self._nick, self.monotonic)
            self.push_screen(self._prompt)
        self._suggested = refused.suggestion
        self._prompt.show_refusal(refused)

    def _on_link_state(self, state: State) -> None:
        if not self.is_running:
            return  # The app is ending.
        self._has_entered = self._has_entered and state.phase == "online"
        if self.chat_screen is not None:
            self.chat_screen.show_link_state(state)
        elif self.link is not None:
            self._prompt.show_link_state(state, self.link.address)

    # Settings

    def change_settings(self, **changes: object) -> None:
        """Change settings, and write them to the file of remembered ones."""
        changed = replace(self.settings, **changes)
        if changed != self.settings:
            self.settings = changed
            if self._remember(changed) is False and not self._reported_unsaved:
                self._reported_unsaved = True
                self._report_problem(not_remembered())

    def _theme_changed(self, theme: Theme) -> None:
        if theme.name != (self.settings.theme or DARK.name):
            self.change_settings(theme=theme.name)

    # The terminal

    def _display(self, screen: Screen[object], renderable: object) -> None:
        """Write only changed cells to the terminal."""
        driver = self._driver
        is_drawn = self._running and not self._closed and not self._batch_count
        if isinstance(driver, TerminalDriver) and is_drawn and isinstance(renderable, CompositorUpdate):
            text = driver.frame.draw(renderable, lambda strip: strip.render(self.console))
            cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
            if not text and cursor == self._previous_cursor_position:
                self.post_display_hook()
                return
            renderable = DrawnText(text)
        super()._display(screen, cast(RenderableType | None, renderable))

    def bell(self) -> None:
        """Ring, within the limit of BellLimit: many lines may name us."""
        if self._bell_limit.allows(self.monotonic()):
            super().bell()

    async def _dispatch_action(self, namespace: DOMNode, action_name: str, params: Any) -> bool:
        """Run an action. An exception in one of Textual's own actions is logged and does not end the app, which may
        host a room. For example, PageUp in a list without a layout raises KeyError."""
        try:
            return await super()._dispatch_action(namespace, action_name, params)
        except Exception as error:
            if not _is_textual_action(namespace, action_name):
                raise
            self.log.error(f"the action {action_name} was given up: {error!r}")
            return True

    def pop_screen(self) -> AwaitComplete:
        """Close the top screen, but never the prompt or the room: the palette closes twice if a key and a click come at
        once."""
        return super().pop_screen() if len(self.screen_stack) > BASE_SCREENS else AwaitComplete()

    def action_redraw(self) -> None:
        """Draw the whole screen again, for example after another program has written to the terminal."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.draw_anew()

    # Actions

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(Palette(id="--command-palette"))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        return everything(self)

    def on_command_palette_opened(self) -> None:
        """Stop the blinking of the input's cursor, as each blink is written to the terminal."""
        for field in self.screen.query(Input):
            field.cursor_blink = False

    def action_help(self) -> None:
        if not isinstance(self.screen, HelpScreen):
            operator = self.chat_screen is not None and self.chat_screen.is_operator
            self.push_screen(HelpScreen(operator=operator, hosts=self.hosted_server is not None))

    def action_panic(self) -> None:
        """Lock the room and make it quiet, or end both; on every screen."""
        if self.chat_screen is not None and self.chat_screen.is_operator:
            self.chat_screen.action_panic()

    def action_reconnect(self) -> None:
        """Connect again, or start the hosted server again if it has ended."""
        if self.hosted_server is not None and self.hosted_server.ended:
            self.run_worker(self._host(self.hosted_server), name="host")
        else:
            self._join()

    def action_interrupt(self) -> None:
        """Copy what the person selected; without that, clear the typed text, as a shell does; without text, leave."""
        from tui.desktop import copy_selection
        from tui.widgets.composer import Composer

        is_preselected = isinstance(self.focused, Composer) and self.focused.is_preselected
        if (is_preselected or not copy_selection(self)) and not self._clear_half_typed():
            self.request_leave(INTERRUPTED)

    def _clear_half_typed(self) -> bool:
        """Clear the focused field, or the input line. Returns whether it had text."""
        from tui.widgets.composer import Composer

        for field in (self.focused, *self.screen.query(Composer)):
            match field:
                case Composer() if field.text:
                    field.action_empty()
                    return True
                case NicknameField() if not field.is_half_typed:
                    return False
                case Input() if field.value:
                    field.clear()
                    return True
        return False

    async def action_quit(self) -> None:
        self.request_leave(0)

    def request_leave(self, code: int) -> None:
        """Leave. A host is asked first if others are in the room. A second request leaves without a question."""
        others = len(self.link.client.people) - 1 if self.link is not None and self.hosted_server is not None else 0
        if others < 1 or self.room_end_reason or isinstance(self.screen, LeaveScreen):
            self.leave_soon(code)
        else:
            self.push_screen(LeaveScreen(others), lambda yes: self.leave_soon(code) if yes else None)

    def leave_soon(self, code: int) -> None:
        """Start to leave: tell the room, and stop the hosted server. A second call leaves at once. `code` is the exit
        code; if it is 0, a failure gives another."""
        if not self._has_started:
            self._early_code = code
            return
        code = code or self._failure
        if self._leaving:
            self.exit(return_code=code)
        else:
            self._leaving = True
            self.run_worker(self._leave(code), name="leave")

    @property
    def _failure(self) -> int:
        """The exit code if a failure keeps us out of the room; otherwise 0."""
        if self.hosted_server is not None:
            return self.hosted_server.exit_code
        if self.link is None or self.link.entered:
            return 0
        if self.link.state.turned_away:
            return FAILED
        return 0 if self._room_answered else UNREACHABLE

    async def _leave(self, code: int) -> None:
        if self.hosted_server is not None and self.chat_screen is not None:
            while self.chat_screen in self.screen_stack and self.screen is not self.chat_screen:
                self.pop_screen()
            self.chat_screen.show_ending()
        if self.link is not None:
            await self.link.close()
        if self.hosted_server is not None:
            await self.hosted_server.stop()
        self.exit(return_code=code)


def _is_textual_action(namespace: DOMNode, action_name: str) -> bool:
    """Whether Textual defines this action of the widget."""
    method = getattr(namespace, f"_action_{action_name}", None) or getattr(namespace, f"action_{action_name}", None)
    return getattr(method, "__module__", "").startswith("textual.")
