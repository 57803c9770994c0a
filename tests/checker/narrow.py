"""Narrow connections: next to nothing waits in the kernels, so that a reader that stops is felt by who writes."""

import socket

RECEIVE_BUFFER = 4096
SEGMENT = 1400
"""Bytes. On loopback a segment has 64 KiB, and the kernel of who sends keeps room for dozens of them."""
LIMIT = 4096
"""Bytes that asyncio reads ahead, about."""


def narrow(sock: socket.socket) -> None:
    """Make it narrow, before it connects."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
