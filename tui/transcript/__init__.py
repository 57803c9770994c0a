"""The transcript of a room: in memory for /save, and in a file."""
