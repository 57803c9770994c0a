"""`python -m tui` is `chat-tui`. All imports are inside the handler of Ctrl-C."""

import sys
from typing import NoReturn

EXIT_INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command and exit with its code; the console script calls it."""
    try:
        import three_chat_rooms

        three_chat_rooms.claim_names()
        from tui import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
