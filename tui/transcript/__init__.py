"""What was said in a room, kept: in memory for /save, and in a file."""
