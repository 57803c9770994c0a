"""Faults of a server under test, as they might happen in a year.

With this folder on PYTHONPATH, Python runs this file first in every process of the server, those it starts included.
The environment names what goes wrong; it happens inside the real server, in the one place where a bug would be.
"""

import errno
import os
import time
from pathlib import Path

from server import session
from server.room.room import Room
from server.session import Session

POISON = "poison"
"""A line with this word in it meets the bug."""


def session_fails() -> None:
    """A bug in what is a connection's own work."""
    decode_line = Session._decode_line

    def poisoned(self, line):
        if isinstance(line, bytes) and POISON.encode() in line:
            raise RuntimeError("a bug in the session")
        return decode_line(self, line)

    Session._decode_line = poisoned


def room_fails() -> None:
    """A bug in what all share, met by what one says."""
    apply = Room.apply

    def poisoned(self, number, item, *when):
        if POISON in getattr(item, "text", ""):
            raise RuntimeError("a bug in the room")
        apply(self, number, item, *when)

    Room.apply = poisoned


def door_fails(*, for_ever: bool = False) -> None:
    """A bug in the running model: after a line with the poison, the next connection makes accept fail."""
    from server.listener import Listener  # Not for a worker, which stays light.

    apply, accept = Room.apply, Listener.accept
    broken: list[bool] = []

    def poisoned(self, number, item, *when):
        if POISON in getattr(item, "text", ""):
            broken.append(True)
        apply(self, number, item, *when)

    def fails(self):
        if broken and (for_ever or broken.pop()):
            raise OSError(errno.EIO, "a bug at the door")
        return accept(self)

    Room.apply, Listener.accept = poisoned, fails


def door_stays_broken() -> None:
    """The same, and no model can mend it."""
    door_fails(for_ever=True)


def slow_to_take_over() -> None:
    """Nothing is wrong: while this file exists, the process model needs a while for each connection that it begins to
    serve, and the thread model does not go on once a thread was started for each."""
    slow = Path(os.environ["THREE_CHAT_ROOMS_SLOW"])
    from server import connection  # Not for a worker, which stays light.
    from server.room.inbox import Inbox

    begin, first = Inbox.open, connection.readable_first

    def slowly(self, *args):
        if slow.exists():
            time.sleep(0.1)
        begin(self, *args)

    def waits_at_the_end(connections):
        yield from first(connections)
        while slow.exists():
            time.sleep(0.01)

    Inbox.open, connection.readable_first = slowly, waits_at_the_end


def impatient() -> None:
    """Nothing is wrong: who takes nothing is let go after a second, not ten, and may let more pile up."""
    session.WRITE_TIMEOUT = 1.0
    session.MAX_UNSENT_BYTES = 2**30


def clock_is_set() -> None:
    """The wall clock is set when a line says so: `clock -3600` sets it back by an hour."""
    apply, wall_clock = Room.apply, time.time
    offset = [0.0]

    def watched(self, number, item, *when):
        if (text := getattr(item, "text", "")).startswith("clock "):
            offset[0] = float(text.split()[1])
        apply(self, number, item, *when)

    time.time, Room.apply = lambda: wall_clock() + offset[0], watched


def asks_silent_peers_at_once() -> None:
    """Nothing is wrong: TCP asks after a second of silence, and not after a quarter of a minute."""
    from server import sockets  # Not for a worker, which stays light.

    sockets.KEEPALIVE, sockets.UNACKNOWLEDGED_TIMEOUT_S = (1, 1, 2), 3


def lingering() -> None:
    """Nothing is wrong: who is let go has a minute to take its last lines, not 2 seconds."""
    session.CLOSE_TIMEOUT = 60.0


globals()[os.environ["THREE_CHAT_ROOMS_SABOTAGE"]]()
