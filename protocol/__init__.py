"""The wire protocol: bytes in, commands and events out. It has no socket, no clock and no thread."""

__version__ = "0.1.0"
