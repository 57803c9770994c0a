"""The rehearsal: what a fork server does before it forks, so that its workers need not do it each for itself.

Python writes to what it runs: the first rounds of a function specialise its code, fill caches, and create what is
created late. Before the fork, that is done once, and its pages are shared; after it, each worker takes the time and
copies the pages.
"""

import os
import socket
from time import monotonic
from typing import NoReturn

from protocol.messages import Limits
from server.processes import pipes
from server.processes.frames import RETURN, pack, pack_delivery, pack_session
from server.processes.pipes import Channel
from server.processes.worker import converse
from server.session import Mark, Session

TIMES = 10
"""Conversations in each dialect, of as many lines each way: Python 3.11 specialises what has run eight times."""
LIMITS = Limits(burst=2 * TIMES, rate=float(TIMES))
SCRIPTS = (
    (b"ada\n", b"hello\n"),
    (b'{"type":"hello","nick":"ada"}\n', b'{"type":"say","id":"1","text":"hello"}\n'),
)
"""For each dialect what a peer says first, and from then on."""


def rehearse() -> None:
    """Hold conversations in each dialect, each with a child that plays the peer and the master. Takes 40 ms.

    Where no child or no descriptor is to be had, do without.
    """
    for opening, line in SCRIPTS * TIMES:
        try:
            peer, ours = socket.socketpair()
            master, worker = pipes.pair()
            pid = os.fork()
        except OSError:
            return
        if pid == 0:
            worker.close()
            play(peer, master, opening, line)
        master.close()
        peer.close()
        converse(ours, worker)
        worker.close()
        ours.close()


def play(peer: socket.socket, master: Channel, opening: bytes, line: bytes) -> NoReturn:
    """The other side's part: everything that is said is told to the one who said it."""
    try:
        os.set_blocking(master.reading, True)
        master.send(pack_session(Session.open(0, LIMITS, monotonic())))
        peer.send(opening)
        for number in range(TIMES):
            master.receive()
            master.send(pack_delivery(line, Mark.NONE if number else Mark.JOINED))
            peer.recv(len(line))
            peer.send(line)
        master.send(pack(RETURN))
        master.receive()
    finally:
        os._exit(0)
