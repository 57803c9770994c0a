"""The chat room, and three ways to run it: a process or a thread for each connection, or an event loop."""
