"""`python -m server` is `chat-server`."""

from server.cli import main

main()
