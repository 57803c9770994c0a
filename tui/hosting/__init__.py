"""Opening a room: the server as a child process, and its addresses for others to join."""
