"""Fault clients: badly behaved connections to the room, started for operators by `/chaos` (`server.room.faults`).

Each is a process of its own that connects as any client does, and ends by itself.
"""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import time

GUEST_DURATION_S = 20.0
"""Seconds until it ends, if the server does not end it earlier."""
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""The address at which a room on all interfaces can be reached from this machine."""

log = logging.getLogger("chat.server")


class FaultClients:
    """Starts and ends fault clients."""

    def __init__(self) -> None:
        self.address = ("", 0)
        """Host and port of the room, once it listens."""
        self._guests: set[subprocess.Popen[bytes]] = set()

    def invite(self, kind: str) -> None:
        """Start a client of that kind. Raises OSError if the system cannot start a process."""
        host, port = self.address
        # By its path, and isolated: it needs only the standard library, in any working directory.
        command = [sys.executable, "-I", "-S", __file__, kind, LOOPBACK.get(host, host), str(port)]
        nowhere = subprocess.DEVNULL
        self._guests.add(subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere))
        self.reap()  # It may be gone already.

    def reap(self) -> None:
        """Forget the clients that have ended. A signal handler may call this at any time."""
        for guest in list(self._guests):
            if guest.poll() is not None:
                self._guests.discard(guest)
                if guest.returncode > 0:
                    log.warning("a guest has failed, with exit code %d", guest.returncode)

    def end(self) -> None:
        """End all clients."""
        for guest in list(self._guests):
            guest.kill()
            guest.wait()
        self._guests.clear()


def run_client(kind: str, host: str, port: int) -> None:
    """Join and never read, or send nothing, until the server ends the connection. Raises OSError."""
    family, how, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, how, protocol) as guest:
        guest.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        guest.connect(address)
        if kind == "slow-reader":
            guest.sendall(f"slow-reader-{os.getpid()}\n".encode())
            time.sleep(GUEST_DURATION_S)
        else:
            guest.settimeout(GUEST_DURATION_S)
            with contextlib.suppress(TimeoutError):
                while guest.recv(1024):
                    pass


if __name__ == "__main__":
    run_client(sys.argv[1], sys.argv[2], int(sys.argv[3]))
