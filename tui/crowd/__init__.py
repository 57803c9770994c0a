"""An audience in one process, which checks what it hears: `chat-crowd`."""
