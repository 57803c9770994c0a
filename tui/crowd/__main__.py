"""`python -m tui.crowd` is `chat-crowd`. Handles Ctrl-C while the modules are being loaded."""

import sys
from typing import NoReturn

import three_chat_rooms
from tui import stdio


def main() -> NoReturn:
    """The console script: runs the command and exits with its code."""
    try:
        three_chat_rooms.claim_names()
        from tui.crowd import cli

        sys.exit(cli.main(prog_name="chat-crowd"))
    except KeyboardInterrupt:
        sys.exit(three_chat_rooms.EXIT_INTERRUPTED)
    except OSError as error:  # The output cannot be written, or the system lacks a resource.
        stdio.print_error(f"chat-crowd: cannot go on: {error.strerror or error}")
        sys.exit(three_chat_rooms.EXIT_FAILURE)
    finally:
        stdio.discard_unwritten()


if __name__ == "__main__":
    main()
