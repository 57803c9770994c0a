"""Resets: closing a connection with RST, as a machine that restarts does."""

import asyncio
import socket
import struct

NO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER that makes close() reset the connection (RFC 9293, 3.10.5, ABORT)."""


def reset(writer: asyncio.StreamWriter) -> None:
    """Reset the connection, and discard the unsent data."""
    if not writer.is_closing():
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    writer.transport.abort()
