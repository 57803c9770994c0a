"""Chaos: the part of breaking things on purpose that a pure room cannot do. See `server.room.desk` for who may ask.

A guest is a connection to our own door that behaves badly: it runs in a process of its own and ends by itself.
"""

import os
import signal
import socket
import subprocess
import sys
import time

GUEST_STAYS = 20.0
"""Seconds."""
GUESTS = ("slow-reader", "silent")


class Strikes:
    """Carries out what operators ask for."""

    def __init__(self) -> None:
        self.port = 0
        """The room's own, once it listens."""
        self._guests: list[subprocess.Popen[bytes]] = []

    def kill(self, pid: int) -> None:
        """`kill -9` of a worker. A worker that has ended by itself is no reason to fail."""
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def invite(self, kind: str) -> None:
        """Let a guest of that kind come. Raises OSError where there is no process for it."""
        self._guests = [guest for guest in self._guests if guest.poll() is None]
        command = [sys.executable, "-m", "server.chaos", kind, str(self.port)]
        self._guests.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))

    def end(self) -> None:
        """Send all guests away."""
        for guest in self._guests:
            guest.kill()
            guest.wait()


def visit(kind: str, port: int) -> None:
    """Be a guest: join and never read, or say nothing at all."""
    with socket.socket() as guest:
        guest.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        guest.connect(("127.0.0.1", port))
        if kind == "slow-reader":
            guest.sendall(f"slow-reader-{os.getpid()}\n".encode())
        time.sleep(GUEST_STAYS)


if __name__ == "__main__":
    visit(sys.argv[1], int(sys.argv[2]))
