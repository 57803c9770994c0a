"""The connection to a room over TCP, which reconnects after a failure."""
