"""`python -m tui` is `chat-tui`. Nothing is loaded before Ctrl-C is minded."""

import sys
from typing import NoReturn

EXIT_INTERRUPTED = 130


def main() -> NoReturn:
    """The console script: runs the command and exits with its code."""
    try:
        import three_chat_rooms

        three_chat_rooms.claim_names()
        from tui import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
