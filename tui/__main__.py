"""`python -m tui` is `chat-tui`."""

from tui.cli import main

main()
