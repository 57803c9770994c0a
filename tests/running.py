"""Real servers for tests: processes on free ports of 127.0.0.1, with a deadline for each wait.

This module does not depend on the internals of the server. A Server and its workers are ended by their process ids.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import psutil

from tests.peers import OPERATOR_KEY, PATIENCE, Closed, Peer, PlainPeer, RichPeer, WebPeer, readable, wait_until

__all__ = [
    "MISSING",
    "OPERATOR_KEY",
    "PATIENCE",
    "Closed",
    "Facts",
    "Peer",
    "PlainPeer",
    "RichPeer",
    "Server",
    "WebPeer",
    "has_ended",
    "readable",
    "start",
    "wait_until",
]
ROOT = Path(__file__).parent.parent
MISSING = str(ROOT / "tests" / "missing")
"""A path at which no file is."""
SABOTAGE = ROOT / "tests" / "server" / "sabotage"
LISTENING = re.compile(r"listening on (\S+):(\d+) \(model (\w+), pid (\d+)\)(?:, and on (.+))?")


P = TypeVar("P", bound=Peer)


class Facts(NamedTuple):
    """The resources of a process tree: bytes for `memory` (unique set size), counts for the others."""

    fds: int
    threads: int
    children: int
    memory: int


def facts_of(process: psutil.Process) -> Facts:
    """Measure the resources of a process and its descendants."""
    tree = [process, *process.children(recursive=True)]
    fds = threads = memory = 0
    for one in tree:
        with suppress(psutil.Error):
            fds += one.num_fds()
            threads += one.num_threads()
            memory += one.memory_full_info().uss
    return Facts(fds, threads, len(tree) - 1, memory)


def has_ended(process: psutil.Process) -> bool:
    """Return True if the process is gone or a zombie."""
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


class Server:
    """A server process. `command` starts it, and its log goes to `log_path`."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log_path: Path) -> None:
        self.log_path = log_path
        with log_path.open("wb") as log:
            self._popen = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.process = psutil.Process(self._popen.pid)
        try:
            told = self.next_report()
            listening = LISTENING.fullmatch(told)
            assert listening, f"instead of listening it said {told!r}, and logged:\n{self.log()}"
        except BaseException:
            self.kill()
            raise
        self.model = listening[3]
        self.address = (listening[1], int(listening[2]))
        others = (one.rsplit(":", 1) for one in (listening[5] or "").split(", ") if one)
        self.other_addresses = [(host, int(port)) for host, port in others]
        self._peers: list[Peer] = []
        self._known: list[psutil.Process] = []

    def next_report(self) -> str:
        """The next line of its standard output."""
        assert self._popen.stdout is not None
        assert readable(self._popen.stdout, PATIENCE), f"it reported nothing, and logged:\n{self.log()}"
        return self._popen.stdout.readline().strip()

    # Peers

    def connect(self, *, receive_buffer: int = 0) -> Peer:
        """Open a connection that has sent nothing yet."""
        return self._keep(Peer(self.address, receive_buffer))

    def plain(self, nick: str) -> PlainPeer:
        """Join in the plain dialect."""
        peer = self._keep(PlainPeer(self.address))
        peer.join(nick)
        return peer

    def rich(self, nick: str, **hello: object) -> RichPeer:
        """Join in the rich dialect. `hello` has more fields of the first command."""
        peer = self.rich_stranger()
        peer.hello(nick, **hello)
        return peer

    def rich_stranger(self) -> RichPeer:
        """Open a connection for the rich dialect that has sent nothing yet."""
        return self._keep(RichPeer(self.address))

    def web(self, nick: str, **hello: object) -> WebPeer:
        """Join in the web dialect, as a browser does."""
        peer = self.web_stranger()
        peer.hello(nick, **hello)
        return peer

    def web_stranger(self, *, receive_buffer: int = 0) -> WebPeer:
        """Open a WebSocket that has sent nothing yet."""
        return self._keep(WebPeer(self.address, receive_buffer))

    def http(self, request: bytes) -> bytes:
        """Send a request, and return all bytes up to the end of the connection."""
        peer = self.connect()
        peer.send(request)
        data = b""
        while part := peer.socket.recv(1 << 16):
            data += part
        return data

    def operator(self, nick: str = "boss") -> RichPeer:
        """Join in the rich dialect, and become an operator."""
        peer = self.rich(nick)
        peer.prove()
        return peer

    def _keep(self, peer: P) -> P:
        self._peers.append(peer)
        return peer

    # State

    def facts(self) -> Facts:
        """Measure the resources of the process tree."""
        return facts_of(self.process)

    def children(self) -> list[psutil.Process]:
        return self.process.children(recursive=True)

    def log(self) -> str:
        """Return the log so far."""
        return self.log_path.read_text(errors="replace")

    def alive(self) -> bool:
        return self._popen.poll() is None

    # Ending

    def ended(self) -> bool:
        """Return True if the server and its workers have ended."""
        return not self.alive() and not any(process.is_running() for process in self._known)

    def terminate(self, number: int = signal.SIGTERM) -> int:
        """Send a signal that ends the server; returns the exit code."""
        self._known = self.children()
        self._popen.send_signal(number)
        return self._popen.wait(PATIENCE)

    def clear(self) -> None:
        """Close all connections that this object opened."""
        for peer in self._peers:
            peer.close()
        self._peers.clear()

    def close(self) -> None:
        """Close all connections, and end the server; the last step of a test."""
        self.clear()
        if self.alive():
            self._popen.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(PATIENCE)
        self.kill()

    def kill(self) -> None:
        """Kill the server and its workers at once, in any state."""
        with suppress(psutil.NoSuchProcess):
            for child in self.children():
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        self._popen.kill()
        self._popen.wait(PATIENCE)
        if self._popen.stdout is not None:
            self._popen.stdout.close()


def start(model: str, folder: Path, *options: str, sabotage: str = "", prefix: Sequence[str] = ()) -> Server:
    """Start a server on a free port, without a rate limit unless `options` set one.

    `sabotage` names a fault in it (see tests/server/sabotage/). `prefix` is a command that executes the server at its
    end.
    """
    number = len(list(folder.glob("server*.log")))
    key_file = folder / "operator.key"
    key_file.write_text(OPERATOR_KEY)
    key_file.chmod(0o600)
    given = ["--model", model, "--bind", "127.0.0.1:0", "--operator-key-file", str(key_file), *options]
    if "--rate-limit" not in options:
        given += ["--rate-limit", "off"]
    environment = os.environ.copy()
    if sabotage:
        environment["PYTHONPATH"] = os.pathsep.join([str(SABOTAGE), str(ROOT)])
        environment["THREE_CHAT_ROOMS_SABOTAGE"] = sabotage
    return Server([*prefix, sys.executable, "-m", "server", *given], environment, folder / f"server{number}.log")
