"""The client: `chat-tui` on the full screen and in line mode, the operator's console and `chat-crowd`."""
