"""Narrow connections: the kernels buffer little, so the writer soon notices a reader that stops."""

import socket

RECEIVE_BUFFER = 4096
SEGMENT = 1400
"""Bytes. On loopback a segment has 64 KiB, and the kernel of the sender buffers dozens of them."""
LIMIT = 4096
"""Bytes that asyncio reads ahead, approximately."""


def narrow(sock: socket.socket) -> None:
    """Make a socket narrow, before it connects."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
