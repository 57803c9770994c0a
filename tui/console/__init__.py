"""The operator's console: a prompt under the log of `chat-server`, in a process of its own."""
