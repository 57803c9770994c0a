"""`chat-crowd`: an audience in one process that checks the delivery of the lines."""
