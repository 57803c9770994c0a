"""`python -m tui.console`, as chat-server runs it."""

from tui.console.console import main

main()
