"""TerminalDriver: sets the modes of the full screen's terminal, reads its input, and restores the modes.

It replaces Textual's driver for Unix. Input that is no key ends nothing. A terminal that takes no output delays
nothing, not even a signal to end. A terminal that is gone ends the app. The screen is drawn on the terminal of standard
output, even if standard error is redirected.
"""

import fcntl
import os
import select
import signal
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable
from itertools import zip_longest
from typing import Any, Protocol, cast

from textual import constants, events, log
from textual.driver import Driver
from textual.geometry import Size
from textual.message import Message
from textual.messages import InBandWindowResize

from tui.terminal.decoder import InputDecoder, Token
from tui.terminal.frame import Frame
from tui.terminal.output import TerminalOutput
from tui.terminal.translator import InputTranslator, bounded_size

DEFAULT_SIZE = (80, 24)
"""Columns and rows if the terminal reports none, as on a serial line or under `docker exec`."""
READ_BYTES = 65536
CLOSE_TIMEOUT_S = 1.0
"""How long the terminal may take to accept the bytes that restore it."""
KITTY_FLAGS = 0b1 | 0b100 | 0b1000 | 0b10000
"""Unambiguous escape codes, the key in other layouts, reports of all keys, and their text."""

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[?7l"
"""The alternate screen, a hidden cursor, focus reports, bracketed paste, no line wrap."""
LEAVE = "\x1b[?2026l\x1b[?2048l\x1b[?2004l\x1b[?7h\x1b[?1004l"
LEAVE_SCREEN = "\x1b[?1049l\x1b[?25h"
MOUSE_ON = "\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h"
"""Buttons and movements, in urxvt's form or, where the terminal knows it, in the SGR form."""
MOUSE_OFF = "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
KITTY_ON, KITTY_OFF = f"\x1b[>{KITTY_FLAGS}u", "\x1b[<u"
QUERIES = "\x1b[?2026$p\x1b[?2048$p"
"""Ask whether the terminal supports synchronized output and in-band size reports."""
SIZE_REPORTS_ON = "\x1b[?2048h"


class Leavable(Protocol):
    """The app of this driver."""

    def leave_soon(self, code: int) -> None:
        """Start to leave, with this exit code."""


class TerminalDriver(Driver):
    """Calls the app's `leave_soon(0)` once the terminal is gone."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._input = sys.__stdin__.fileno() if sys.__stdin__ else 0
        self._screen = sys.__stdout__.fileno() if sys.__stdout__ else 1
        self.frame = Frame()
        self._size = self._size or self.terminal_size()
        self._output: TerminalOutput | None = None
        self._settings_before: list[Any] | None = None
        self._typed_before = 0
        """Bytes in the terminal's queue that were typed before it had our settings: in them, Enter is a line feed."""
        self._input_thread: threading.Thread | None = None
        self._stop_input: Callable[[], None] = lambda: None
        self._is_suspended = False
        self._is_started = False
        self._unsent: list[Message] = []
        self._sending = threading.Lock()

    @property
    def can_suspend(self) -> bool:
        return True

    # Output

    def write(self, data: str) -> None:
        """Write to the terminal, in order, without waiting for it."""
        if self._output is not None:
            self._output.write(data)

    def _gone(self) -> None:
        self._in_loop(lambda: cast(Leavable, self._app).leave_soon(0))

    def _in_loop(self, act: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(act)
        except RuntimeError:  # The loop is closed: there is nothing left to end.
            pass

    def draw_anew(self) -> None:
        """Draw the whole screen, without regard to what the terminal shows."""
        if self._is_started:
            self.frame.forget()
            self._app.refresh(layout=True)

    # Beginning and end

    def start_application_mode(self) -> None:
        """Take the terminal: set its modes, read its input and handle its signals."""
        self._output = TerminalOutput(
            self._screen, on_gone=self._gone, on_caught_up=lambda: self._in_loop(self.draw_anew)
        )
        self._set_raw()
        self._enter()
        self._start_input()
        self._is_started = True
        for number, act in (
            (signal.SIGWINCH, self._send_size),
            (signal.SIGTSTP, self._suspend),
            (signal.SIGCONT, self._resume),
        ):
            self._loop.add_signal_handler(number, act)
        self._send_size()

    def _enter(self) -> None:
        self.frame.forget()
        self.write(ENTER)
        if self._mouse:
            self.write(MOUSE_ON)
        if not constants.DISABLE_KITTY_KEY:
            self.write(KITTY_ON)
        if os.environ.get("TERM_PROGRAM", "") != "Apple_Terminal":  # It shows parts of these as text.
            self.write(QUERIES)

    def _set_raw(self) -> None:
        try:
            self._settings_before = self._settings_before or termios.tcgetattr(self._input)
            settings = termios.tcgetattr(self._input)
            settings[tty.LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
            settings[tty.IFLAG] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
            settings[tty.IFLAG] &= ~(termios.ISTRIP | termios.PARMRK)  # Pass all eight bits unchanged.
            settings[tty.CC][termios.VMIN] = 1
            settings[tty.CC][termios.VTIME] = 0
            termios.tcsetattr(self._input, termios.TCSANOW, settings)
            self._typed_before = _unread_bytes(self._input)
        except (OSError, termios.error):
            pass

    def disable_input(self) -> None:
        """Stop reading, and drop the input that was not read."""
        if self._input_thread is None:
            return
        self.write(MOUSE_OFF)
        self._stop_input()
        self._input_thread.join()
        self._input_thread = None
        try:
            termios.tcflush(self._input, termios.TCIFLUSH)
        except termios.error:
            pass

    def stop_application_mode(self) -> None:
        """Restore the terminal."""
        self._is_started = False
        self.disable_input()
        if self._output is not None:
            kitty = "" if constants.DISABLE_KITTY_KEY else KITTY_OFF
            self._output.write_last(f"{LEAVE}{MOUSE_OFF}{kitty}{LEAVE_SCREEN}")
        if self._settings_before is not None:
            try:
                termios.tcsetattr(self._input, termios.TCSANOW, self._settings_before)
            except termios.error:
                pass
            self._settings_before = None

    def close(self) -> None:
        """Stop writing, within CLOSE_TIMEOUT_S."""
        if self._output is not None:
            self._output.close(CLOSE_TIMEOUT_S)
            self._output = None

    # Suspended and resumed

    def _suspend(self) -> None:
        """Restore the terminal and stop the process until SIGCONT."""
        if self._auto_restart and self._is_started:
            self._is_suspended = True
            self.suspend_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _resume(self) -> None:
        """Take the terminal again, also after a SIGSTOP from elsewhere: a shell has used the terminal meanwhile."""
        if not self._auto_restart or not (self._is_suspended or self._is_started):
            return
        if not self._is_foreground():  # `bg`
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        if self._is_suspended:
            self._is_suspended = False
            self.resume_application_mode()
            self._app.post_message(self.SignalResume())
        else:
            self._set_raw()
            if not constants.DISABLE_KITTY_KEY:
                self.write(KITTY_OFF)
            self._enter()
        self.draw_anew()

    def _is_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self._input) == os.getpgrp()
        except OSError:  # Not our controlling terminal: there is no job control.
            return True

    # Size

    def terminal_size(self) -> tuple[int, int]:
        """Columns and rows of the terminal itself. COLUMNS and LINES are ignored: they may be outdated."""
        try:
            columns, rows = os.get_terminal_size(self._screen)
        except OSError:
            columns, rows = 0, 0
        return bounded_size(columns or DEFAULT_SIZE[0], rows or DEFAULT_SIZE[1])

    def _send_size(self) -> None:
        self.frame.forget()
        size = Size(*self.terminal_size())
        self.send_message(events.Resize(size, size))

    # Input

    def _start_input(self) -> None:
        waking, wake = os.pipe()
        thread = threading.Thread(target=self._read_input, args=(waking,), name="terminal-input", daemon=True)

        def stop() -> None:
            os.close(wake)
            self._stop_input = lambda: None

        self._stop_input, self._input_thread = stop, thread
        thread.start()

    def _read_input(self, waking: int) -> None:
        """Read until the other end of `waking` is closed, or the terminal is gone."""
        decoder, translator = InputDecoder(constants.ESCAPE_DELAY), InputTranslator()
        try:
            while True:
                wait = None if decoder.deadline is None else max(0.0, decoder.deadline - time.monotonic())
                ready, _, _ = select.select([self._input, waking], [], [], wait)
                if waking in ready:
                    return
                if not ready:
                    self._take(decoder.expire(time.monotonic()), translator)
                elif data := os.read(self._input, READ_BYTES):
                    early, self._typed_before = self._typed_before, max(0, self._typed_before - len(data))
                    data = data[:early].replace(b"\n", b"\r") + data[early:]
                    self._take(decoder.feed(data, time.monotonic()), translator)
                else:
                    break
        except OSError:
            pass
        finally:
            os.close(waking)
        self._gone()

    def _take(self, tokens: list[Token], translator: InputTranslator) -> None:
        for token, following in zip_longest(tokens, tokens[1:]):
            try:
                for message in translator.translate(token, following):
                    self.process_message(message)
            except Exception as error:  # noqa: BLE001  # Textual's parser is not ours: no key may end a hosted room.
                log.error(f"terminal input was passed over: {error!r}")

    def process_message(self, message: Message) -> None:
        """Send a message to the app, except for the report that the terminal supports in-band sizes."""
        if isinstance(message, InBandWindowResize):
            if message.supported:
                self.write(SIZE_REPORTS_ON)
            return
        super().process_message(message)

    def send_message(self, message: Message) -> None:
        """Call it from any thread. The message is dropped once the app has ended."""
        with self._sending:
            self._unsent.append(message)
            is_first = len(self._unsent) == 1
        if is_first:
            # Not one call for each message: asyncio wakes its loop through a pipe. A few hundred calls to a
            # busy loop fill that pipe, and a signal that comes then is lost.
            self._in_loop(self._deliver)

    def _deliver(self) -> None:
        with self._sending:
            messages, self._unsent = self._unsent, []
        for message in messages:
            self._app.post_message(message)


def _unread_bytes(terminal: int) -> int:
    return int.from_bytes(fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)), sys.byteorder)
