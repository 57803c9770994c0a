"""Narrow connections: the kernels buffer little, so the writer soon notices a reader that stops."""

import socket

RECEIVE_BUFFER_BYTES = 4096
MAX_SEGMENT_BYTES = 1400
"""Bytes. On loopback a segment has 64 KiB, and the kernel of the sender buffers dozens of them."""
READ_AHEAD_BYTES = 4096
"""Bytes that asyncio reads ahead, approximately."""


def narrow(sock: socket.socket) -> None:
    """Make a socket narrow, before it connects."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, MAX_SEGMENT_BYTES)
