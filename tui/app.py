"""ChatApp: the full-screen app. It runs the client of a room, and shows the screens that are the client's views.

At each kind of end (quit, Ctrl-C, a signal, a crash) the room is told, the hosted server is stopped, and the terminal
is restored.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar, cast

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

from protocol.messages import Refused, Welcome
from tui.client import RoomClient
from tui.client_view import ClientView
from tui.desktop import BellLimit
from tui.screens.dialogs import LeaveScreen
from tui.screens.help import HelpScreen
from tui.screens.nickname import NicknameField, NicknameScreen
from tui.screens.palette import CommandProvider, CommandScreen, Palette, is_searching
from tui.style import WIDE_SCREEN, css_variables
from tui.terminal.driver import TerminalDriver
from tui.terminal.frame import DrawnText
from tui.terminal.input_queue import InputQueue, has_handled_all, is_waiting
from tui.themes import DARK, THEMES
from tui.widgets.keys import keeps_focus

FAILED = 1
UNREACHABLE = 69
"""The exit code if no room could be reached (EX_UNAVAILABLE)."""
INTERRUPTED = 130
BASE_SCREENS = 2
"""Textual's empty screen, and the prompt or the room above it."""


class ChatApp(App[None], ClientView):
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

    watches_meter = True

    def __init__(self, client: RoomClient, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """The app asks for a nickname if the client has none. `monotonic` returns seconds."""
        super().__init__(TerminalDriver)
        for theme in THEMES:
            self.register_theme(theme)
        self.client = client
        client.attach(self, shows_items=False)
        self.monotonic = monotonic
        self._bell_limit = BellLimit()
        self.chat_screen: CommandScreen | None = None
        """The screen of the room, once the room has accepted us."""
        self._prompt = NicknameScreen(self.title, client.nick or client.settings.nick, monotonic)
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

    # Beginning

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return css_variables(self.current_theme.dark)

    def on_load(self) -> None:
        """Handle signals before the terminal's modes change: a default action would not restore them."""
        loop = asyncio.get_running_loop()
        for number, code in ((signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, INTERRUPTED)):
            loop.add_signal_handler(number, self.leave_soon, code)

    async def on_mount(self) -> None:
        client = self.client
        wanted = client.settings.theme or DARK.name
        self.theme = wanted if wanted in self.available_themes else DARK.name
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        self.run_worker(client.transcript.sync_forever(), name="transcript")
        await self.push_screen(self._prompt)
        if client.hosted_server is not None:
            self.run_worker(client.host(), name="host")
        self._show_address()
        if client.nick:
            self._prompt.show_joining()
            self._join()
        self._has_started = True
        if self._early_code is not None:
            self.leave_soon(self._early_code)

    def _show_address(self) -> None:
        if not self.client.is_open:
            self._prompt.room = "Opening a room …"
        elif invitations := self.client.invitations:
            self._prompt.room = f"Your room is open. Others join with\nchat-tui {invitations[0]}"
        else:
            self._prompt.room = f"The room at {self.client.link.address}"

    def on_nickname_screen_chosen(self, message: NicknameScreen.Chosen) -> None:
        self.client.try_nick(message.nick)
        if message.nick != self._suggested:
            self.client.change_settings(nick=message.nick)
        self._join()

    def _join(self) -> None:
        """Connect to the room once there are a nickname and an address; again if the room has let us go."""
        client = self.client
        if client.nick and client.is_open and not client.link.is_running:
            self.run_worker(client.stay(), name="link")
        client.link.retry_now()

    # The view of the client

    def room_opened(self) -> None:
        self._prompt.clear_failure()
        self._show_address()
        self._join()

    def joined(self, welcome: Welcome) -> None:
        client = self.client
        if client.hosted_server is None:
            client.change_settings(rooms=client.settings.with_room(client.link.address).rooms)
        if self.chat_screen is None:
            # Imported here, so that the prompt for the nickname appears sooner.
            from tui.screens.chat import ChatScreen

            self.chat_screen = ChatScreen(client, self._input_history, self.monotonic)
            self.call_later(self._show_room, self.chat_screen)
        elif self._prompt in self.screen_stack and self.chat_screen in self.screen_stack:
            self.call_later(self._return_to_room, self.chat_screen)

    def _show_room(self, chat: Screen[None]) -> None:
        """Close the screens above the prompt, such as the palette, and replace the prompt by the room."""
        while self._prompt in self.screen_stack and self.screen is not self._prompt:
            self.pop_screen()
        self.switch_screen(chat)
        show_card = events.Callback(callback=partial(chat.run_action, "card"))
        self._input.release(show_card if self.client.hosted_server is not None else None)

    def _return_to_room(self, chat: Screen[None]) -> None:
        while self.screen is not chat:
            self.pop_screen()
        self._input.release()

    def nick_refused(self, refused: Refused) -> None:
        """Ask for another nickname."""
        if self._prompt not in self.screen_stack:
            self._prompt = NicknameScreen(self.title, self.client.nick, self.monotonic)
            self.push_screen(self._prompt)
        self._suggested = refused.suggestion
        self._prompt.show_refusal(refused)

    def nick_changed(self) -> None:
        self.client.change_settings(nick=self.client.nick)

    def link_changed(self) -> None:
        if self.chat_screen is not None or not self.is_running:
            return
        if reason := self.client.room_end_reason:
            self._prompt.show_failure(reason, keys="Ctrl+R tries again")
        else:
            self._prompt.show_link_state(self.client.link.state, self.client.link.address)

    def command_unsent(self, sentence: str) -> None:
        if self.screen is not self.chat_screen:
            self.notify(sentence, severity="error")

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

    def _theme_changed(self, theme: Theme) -> None:
        if theme.name != (self.client.settings.theme or DARK.name):
            self.client.change_settings(theme=theme.name)

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
        yield SystemCommand("Theme", "Change how all of this looks", self.action_change_theme)
        yield SystemCommand("Connect again", "Do not wait for the next attempt", self.action_reconnect)
        words = "End the room for everybody" if self.client.hosts_room else "Leave the room"
        yield SystemCommand("Leave", words, self.action_quit)
        if self.chat_screen is None:
            yield SystemCommand("Help", "The keys and the commands", self.action_help)
        else:
            yield from self.chat_screen.palette_commands()

    def on_command_palette_opened(self) -> None:
        """Stop the blinking of the input's cursor, as each blink is written to the terminal."""
        for field in self.screen.query(Input):
            field.cursor_blink = False

    def action_help(self) -> None:
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(operator=self.client.is_operator, hosts=self.client.hosts_room))

    def on_help_requested(self) -> None:
        self.action_help()

    def action_panic(self) -> None:
        """Lock the room and make it quiet, or end both; on every screen."""
        if self.client.is_operator:
            self.client.panic()

    def action_reconnect(self) -> None:
        """Connect again, or start the hosted server again if it has ended."""
        if self.client.room_end_reason:
            self.run_worker(self.client.host(), name="host")
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

    def on_leave_requested(self) -> None:
        self.request_leave(0)

    def request_leave(self, code: int) -> None:
        """Leave. A host is asked first if others are in the room. A second request leaves without a question."""
        others = len(self.client.people) - 1 if self.client.hosted_server is not None else 0
        if others < 1 or self.client.room_end_reason or isinstance(self.screen, LeaveScreen):
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
        client = self.client
        if client.hosted_server is not None:
            return client.hosted_server.exit_code
        if client.link.entered or not client.link.has_started:
            return 0
        if client.link.state.was_rejected:
            return FAILED
        return 0 if client.has_answered else UNREACHABLE

    async def _leave(self, code: int) -> None:
        if self.client.hosted_server is not None and self.chat_screen is not None:
            while self.chat_screen in self.screen_stack and self.screen is not self.chat_screen:
                self.pop_screen()
        await self.client.leave()
        self.exit(return_code=code)


def _is_textual_action(namespace: DOMNode, action_name: str) -> bool:
    """Whether Textual defines this action of the widget."""
    method = getattr(namespace, f"_action_{action_name}", None) or getattr(namespace, f"action_{action_name}", None)
    return getattr(method, "__module__", "").startswith("textual.")
