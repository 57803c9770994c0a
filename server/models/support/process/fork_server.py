"""The fork server: a small process that does nothing but fork workers for the process model.

Forking from the server itself would copy more with each child, would run what `threading`, `logging` and others hook
into a fork, and is not safe once there are threads. So the master starts this one (see `fork_server_handle`) with
little in it, and sends it each connection's socket and pipes. Nothing is imported here that imports `threading`.

Before it forks, it warms up. Python writes to what it runs: the first rounds of a function specialise its code, fill
caches, and create what is created late. Before the fork that is done once, and its pages are shared; after it, each
worker would take the time and copy the pages, a quarter more memory for each.
"""

import errno
import gc
import os
import signal
import socket
import struct
import sys
from time import monotonic
from typing import NoReturn

from protocol.messages import Limits
from server.models.support.process import pipes
from server.models.support.process.pipes import RETURN, Channel, pack, pack_delivery, pack_session
from server.models.support.process.worker import run, work
from server.session import DeliveryFlags, Session

ANSWER = struct.Struct("!i")
"""The answer to a request: the pid of the child, or minus the errno of a fork that failed."""
READY = ANSWER.pack(0)
"""The first answer, without a request."""
DESCRIPTORS = struct.Struct("3i")
"""A request brings these: the peer's socket, and the worker's two pipe ends."""
SPACE = socket.CMSG_SPACE(DESCRIPTORS.size)

WARMUP_ROUNDS = 10
"""Conversations in each dialect, of as many lines each way: Python 3.11 specialises what has run eight times."""
WARMUP_LIMITS = Limits(burst=2 * WARMUP_ROUNDS, rate=float(WARMUP_ROUNDS))
WARMUP_SCRIPTS = (
    (b"ada\n", b"hello\n"),
    (b'{"type":"hello","nick":"ada"}\n', b'{"type":"say","id":"1","text":"hello"}\n'),
)
"""For each dialect the peer's first line, and its next ones."""


def main(control: socket.socket) -> None:
    """Fork a worker for each request, until the master is gone; then wait for the last of them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        # The master is asked to end, and asks us; a terminal's Ctrl-C goes to all of us.
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # No zombies: the pipe tells the master that a worker has ended.
    warm_up()
    gc.collect()
    gc.freeze()  # Pages that the garbage collector does not touch stay shared with the children.
    try:
        control.send(READY)
        while fork(control):
            pass
    except ConnectionError:
        pass  # Killed, with answers unread.
    try:
        os.wait()  # With SIGCHLD ignored it returns, with an error, once all children have ended.
    except ChildProcessError:
        pass


def fork(control: socket.socket) -> bool:
    """Carry out one request; False once the master is gone."""
    # `socket.recv_fds` does the same, and costs each child 40 KiB.
    request, ancillary, _, _ = control.recvmsg(1, SPACE)
    if not request:
        return False
    descriptors = DESCRIPTORS.unpack(ancillary[0][2])
    try:
        pid = os.fork()
    except OSError as error:
        pid = -(error.errno or errno.EAGAIN)
    if pid == 0:
        control.close()
        work(socket.SocketType(fileno=descriptors[0]), Channel(descriptors[1], descriptors[2]))
    for descriptor in descriptors:
        os.close(descriptor)
    control.send(ANSWER.pack(pid))
    return True


def warm_up() -> None:
    """Hold conversations in each dialect, each with a child that plays the peer and the master. Takes 40 ms.

    Where the system has no child or no descriptor left, it is left out.
    """
    for opening, line in WARMUP_SCRIPTS * WARMUP_ROUNDS:
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
        run(ours, worker)
        worker.close()
        ours.close()


def play(peer: socket.socket, master: Channel, opening: bytes, line: bytes) -> NoReturn:
    """Be the peer and the master of one conversation: each line goes back to the peer that said it."""
    try:
        os.set_blocking(master.reading, True)
        master.send(pack_session(Session.open(0, WARMUP_LIMITS, monotonic())))
        peer.send(opening)
        for number in range(WARMUP_ROUNDS):
            master.receive()
            master.send(pack_delivery(line, DeliveryFlags.NONE if number else DeliveryFlags.JOINED))
            peer.recv(len(line))
            peer.send(line)
        master.send(pack(RETURN))
        master.receive()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
