"""The client in tmux, with another member that uses nc."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import ROOT, Server, wait_until
from tests.tui.conftest import StartServer


class Tmux:
    """A separate tmux server with one window of 100 × 30."""

    def __init__(self, socket: Path, command: str) -> None:
        self._socket = socket
        self._run("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "-c", str(ROOT), command)

    @property
    def screen(self) -> str:
        """The content of the window."""
        return self._run("capture-pane", "-p")

    def type(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def write(self, text: str) -> None:
        self._run("send-keys", "-l", text)

    def sees(self, *texts: str) -> None:
        for text in texts:
            try:
                wait_until(lambda text=text: text in self.screen, f"to see {text!r}")
            except AssertionError as error:
                raise AssertionError(f"{error}, but:\n{self.screen}") from None

    def close(self) -> None:
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], check=False, capture_output=True)

    def _run(self, *arguments: str) -> str:
        command = ["tmux", "-u", "-S", str(self._socket), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server("thread")


@pytest.fixture
def tmux(tmp_path: Path, server: Server) -> Iterator[Tmux]:
    host, port = server.address
    window = Tmux(
        tmp_path / "tmux",
        f"XDG_CONFIG_HOME={tmp_path} {sys.executable} -m tui {host}:{port}; code=$?; echo exit code $code; cat",
    )
    yield window
    window.close()


@pytest.mark.needs("tmux", "nc")
def test_a_conversation_with_somebody_on_nc(tmux: Tmux, server: Server) -> None:
    tmux.sees("A tale of three chat rooms", f"The room at {server.address[0]}:{server.address[1]}")
    tmux.write("grace")
    tmux.sees("Enter joins the room")
    tmux.type("Enter")
    tmux.sees("≋ thread   1 connected   you: thread", "grace joined")
    nc = subprocess.Popen(
        ["nc", server.address[0], str(server.address[1])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert nc.stdin is not None
    assert nc.stdout is not None
    try:
        nc.stdin.write("bob\nhello from nc\n")
        nc.stdin.flush()
        tmux.sees("bob  hello from nc", "2 connected", "2 here")
        tmux.write("hello from grace, 你好 🎉")
        tmux.type("Enter")
        heard = ""
        while "grace: " not in heard:
            heard = nc.stdout.readline()
        assert heard == "grace: hello from grace, 你好 🎉\n"
        tmux.sees("grace  hello from grace, 你好 🎉")
        tmux.type("F1")
        tmux.sees("Keys", "a new line")
        tmux.type("Escape")
    finally:
        nc.kill()
        nc.wait()
    tmux.sees("1 connected")
    tmux.type("C-q")
    tmux.sees("exit code 0")
    assert "A tale of three chat rooms" not in tmux.screen


@pytest.mark.needs("tmux")
def test_wide_emoji_never_cover_the_list_of_people(tmux: Tmux, server: Server) -> None:
    """tmux draws an emoji with a skin tone in four cells; we count two."""
    people = [f"p{number:02}" for number in range(12)]
    peers = [server.plain(nick) for nick in people]
    tmux.sees("A tale of three chat rooms")
    tmux.write("grace")
    tmux.sees("Enter joins the room")
    tmux.type("Enter")
    tmux.sees("13 here")
    for words in ("\U0001f44d\U0001f3fd" * 16, "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 12, "\u0928\u093f" * 40):
        peers[0].say(f"{words} op    x")
        tmux.sees("op    x")
        rows = tmux.screen.splitlines()
        assert all(any(row.rstrip().endswith(nick) for row in rows) for nick in people), tmux.screen
    for peer in peers:
        peer.close()
