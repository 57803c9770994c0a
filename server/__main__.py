"""`python -m server` is `chat-server`. Nothing is loaded before Ctrl-C is minded."""

import signal
import sys
from typing import NoReturn

EXIT_INTERRUPTED = 130


def main() -> NoReturn:
    """The console script: runs the command and exits with its code."""
    # Before anything is loaded: a SIGHUP in the first moments would end the server, and the caller may have blocked
    # signals that we wait for.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        import three_chat_rooms

        three_chat_rooms.claim_names()
        from server import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
