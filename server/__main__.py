"""`python -m server` is `chat-server`. Signals are handled before the rest is imported, which takes longer."""

import signal
import sys

EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command, and exit with its code."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # It would end a server that does not handle it yet.
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())  # The parent may have blocked signals that the server handles.
        import three_chat_rooms

        three_chat_rooms.claim_names()
        from server import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
