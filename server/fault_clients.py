"""Chaos: the guests that an operator lets in to misbehave. See `server.room.faults` for who may ask.

A guest is a connection to our own door that behaves badly: it runs in a process of its own and ends by itself.
"""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import time

GUEST_STAYS = 20.0
"""Seconds, if it is not let go earlier."""
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where a room that listens everywhere can be reached from here."""

run_client = subprocess.Popen[bytes]

log = logging.getLogger("chat.server")


class FaultClients:
    """Carries out what operators ask for."""

    def __init__(self) -> None:
        self.address = ("", 0)
        """Host and port of the room, once it listens."""
        self._guests: set[run_client] = set()

    def invite(self, kind: str) -> None:
        """Let a guest of that kind come. Raises OSError where there is no process for it."""
        host, port = self.address
        # By its file, and isolated: it needs nothing but Python, wherever the server was started.
        command = [sys.executable, "-I", "-S", __file__, kind, LOOPBACK.get(host, host), str(port)]
        nowhere = subprocess.DEVNULL
        self._guests.add(subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere))
        self.reap()  # It may be gone already.

    def reap(self) -> None:
        """Forget the guests that have gone. A signal handler may call it, at any time."""
        for guest in list(self._guests):
            if guest.poll() is not None:
                self._guests.discard(guest)
                if guest.returncode > 0:
                    log.warning("a guest could not come, or failed: exit code %d", guest.returncode)

    def end(self) -> None:
        """Send all guests away."""
        for guest in list(self._guests):
            guest.kill()
            guest.wait()
        self._guests.clear()


def visit(kind: str, host: str, port: int) -> None:
    """Be a guest: join and never read, or say nothing at all, until let go. Raises OSError."""
    family, how, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, how, protocol) as guest:
        guest.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        guest.connect(address)
        if kind == "slow-reader":
            guest.sendall(f"slow-reader-{os.getpid()}\n".encode())
            time.sleep(GUEST_STAYS)
        else:
            guest.settimeout(GUEST_STAYS)
            with contextlib.suppress(TimeoutError):
                while guest.recv(1024):
                    pass


if __name__ == "__main__":
    visit(sys.argv[1], sys.argv[2], int(sys.argv[3]))
