"""`python -m tui.ssh CHANNEL HOST-KEY LISTENING...`: the ssh door, as `server.ssh_door` starts it.

CHANNEL and LISTENING are the numbers of inherited descriptors: the channel to the server, and the listening sockets.
HOST-KEY is the file of the host key; empty for the usual one. The program ends at the end of its standard input.
"""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from three_chat_rooms import EXIT_CONFIGURATION, EXIT_FAILURE, raise_file_limit

STDIN = 0

log = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    """Run the door. Returns the exit code."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # These are for the server, which ends this program.
    channel_number, host_key, *listening = arguments
    from tui.ssh.room_channel import ChannelHandler, RoomChannel

    channel = RoomChannel(socket.socket(fileno=int(channel_number)))
    logging.basicConfig(handlers=[ChannelHandler(channel)], format="ssh: %(message)s", level=logging.INFO)
    raise_file_limit()
    sockets = [socket.socket(fileno=int(number)) for number in listening]
    try:
        from tui.ssh import host_key as keys
        from tui.ssh.door import Door

        logging.getLogger("asyncssh").setLevel(logging.ERROR)
        key = keys.load_or_make(Path(host_key) if host_key else keys.default_file())
        asyncio.run(Door(channel, key).serve(sockets, STDIN))
    except ImportError as error:
        log.error("guests cannot come by ssh: %s", error)
        return EXIT_CONFIGURATION
    except keys.HostKeyRefused as refused:
        log.error("%s", refused)
        return EXIT_CONFIGURATION
    except Exception:
        log.exception("the program failed; this is a mistake in it")
        return EXIT_FAILURE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
