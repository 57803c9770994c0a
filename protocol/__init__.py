"""What travels on the wire: bytes in, commands and events out, with no socket, no clock and no thread."""

__version__ = "0.1.0"
