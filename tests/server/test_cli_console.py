"""Whether there is to be a console, and how the command makes way for it. The console itself: tests/tui/console."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import three_chat_rooms
from server import cli
from server.settings import STDIN, Settings
from tests.peers import PATIENCE

OF_ITS_OWN = "import os, sys; os.setsid(); os.open(sys.argv.pop(1), os.O_RDWR)\n"
"""A session with the terminal as its own: the first that is opened after setsid becomes that."""
ASK = "from server import cli, settings; sys.exit(0 if cli.wants_console(settings.Settings()) else 7)"


@pytest.fixture
def terminal() -> Iterator[int]:
    screen, program = pty.openpty()
    yield program
    os.close(screen)
    os.close(program)


def wanted(terminal: int, root: Path, *, term: str = "xterm", stdout: int | None = None) -> bool:
    """Whether a server that is started on the terminal would show a console there."""
    done = subprocess.run(
        [sys.executable, "-c", OF_ITS_OWN + ASK, os.ttyname(terminal)],
        cwd=root,
        env=os.environ | {"TERM": term},
        stdin=terminal,
        stdout=terminal if stdout is None else stdout,
        timeout=PATIENCE,
    )
    assert done.returncode in (0, 7)
    return done.returncode == 0


def test_a_person_at_a_terminal_gets_a_console(terminal: int, root: Path) -> None:
    assert wanted(terminal, root)


def test_a_terminal_on_which_no_line_can_be_drawn_anew_has_none(terminal: int, root: Path) -> None:
    assert not any(wanted(terminal, root, term=term) for term in ("", "dumb", "unknown"))


def test_output_that_goes_elsewhere_has_none(terminal: int, root: Path) -> None:
    assert not wanted(terminal, root, stdout=subprocess.DEVNULL)


def test_a_terminal_of_another_session_has_none(terminal: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a job in the background: to ask it for a key would stop us."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(cli, "STDIN_DESCRIPTOR", terminal)
    monkeypatch.setattr(cli, "STDOUT_DESCRIPTOR", terminal)
    assert not cli.wants_console(Settings())


@pytest.mark.parametrize("settings", [Settings(no_console=True), Settings(operator_key_file=STDIN)])
def test_there_is_none_where_it_was_declined_or_stdin_is_the_key(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(cli, "_in_foreground", lambda: True)
    assert cli.wants_console(Settings())
    assert not cli.wants_console(settings)


@pytest.mark.parametrize("key_file", ["", "/etc/key"])
def test_console_replaces_the_command_with_its_arguments(key_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(os, "execv", lambda program, words: became.append((program, words)))
    cli.exec_console(["--model", "thread"], Settings(operator_key_file=key_file))
    words = three_chat_rooms.command_line("tui.console", key_file, "--model", "thread")
    assert became == [(sys.executable, words)]
