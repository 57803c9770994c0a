"""The way to a room over TCP, lost and found again."""
