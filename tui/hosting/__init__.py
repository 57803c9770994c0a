"""To open a room: the server as a child process, and what others need to find it."""
