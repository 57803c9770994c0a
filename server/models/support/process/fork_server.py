"""The fork server: a small process that only forks workers for the process model.

A fork of the server itself would copy more memory for each child, would run the fork hooks of `threading` and other
modules, and is not safe while threads run. So the master starts this small process (see `fork_server_handle`) and sends
it the socket and the pipes of each connection. No module that is imported here imports `threading`.

The fork server warms up before it forks. Python writes to the code that it runs: the first calls of a function
specialise its bytecode, fill caches and create objects lazily. The warm-up does this once, and all workers share its
pages. Without it, each worker would spend the time and copy the pages: a quarter more memory for each.
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

from protocol.dialects import PLAIN, RICH, WEB, Dialect
from protocol.messages import Limits
from protocol.websocket import encode_masked
from server.models.support.process import pipes
from server.models.support.process.pipes import RETURN, Channel, pack, pack_delivery, pack_session
from server.models.support.process.worker import run, work
from server.session import Session
from server.session_types import DeliveryFlags

ANSWER = struct.Struct("!i")
"""The answer to a request: the pid of the child, or the negative errno of a fork that failed."""
READY = ANSWER.pack(0)
"""The first answer, without a request."""
DESCRIPTORS = struct.Struct("3i")
"""The descriptors in a request: the peer's socket, and the worker's two pipe ends."""
SPACE = socket.CMSG_SPACE(DESCRIPTORS.size)

WARMUP_ROUNDS = 10
"""Conversations in each dialect, and lines each way in each of them. Python 3.11 specialises code after eight runs."""
WARMUP_LIMITS = Limits(burst=2 * WARMUP_ROUNDS, rate=float(WARMUP_ROUNDS))
WARMUP_SCRIPTS = (
    (PLAIN, b"ada\n", b"hello\n"),
    (RICH, b'{"type":"hello","nick":"ada"}\n', b'{"type":"say","id":"1","text":"hello"}\n'),
)
"""The peer's first line and its next lines, for each dialect."""
WEB_SCRIPT = (WEB, b'{"type":"hello","nick":"ada"}', b'{"type":"say","id":"1","text":"hello"}')
WEB_ROUNDS = 2
"""Only the frames are new code then, and each conversation has several of them."""
WARMUP_MASK = b"mask"


def main(control: socket.socket) -> None:
    """Fork a worker for each request until the master is gone, then wait until all workers have ended."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        # These signals are for the master, which ends this process. A terminal sends Ctrl-C to all processes.
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
        pass  # The master was killed, with answers unread.
    try:
        os.wait()  # SIGCHLD is ignored, so this fails as soon as all children have ended.
    except ChildProcessError:
        pass


def fork(control: socket.socket) -> bool:
    """Carry out one request. Returns False if the master is gone."""
    # `socket.recv_fds` would do the same, but costs 40 KiB for each child.
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
    """Run conversations in each dialect. In each, a child plays the peer and the master. Takes 40 ms.

    Returns early if the system has no process or descriptor left.
    """
    for dialect, opening, line in (*WARMUP_SCRIPTS * WARMUP_ROUNDS, *(WEB_SCRIPT,) * WEB_ROUNDS):
        try:
            peer, ours = socket.socketpair()
            master, worker = pipes.pair()
            pid = os.fork()
        except OSError:
            return
        if pid == 0:
            worker.close()
            play(peer, master, dialect, opening, line)
        master.close()
        peer.close()
        run(ours, worker)
        worker.close()
        ours.close()


def play(peer: socket.socket, master: Channel, dialect: Dialect, opening: bytes, line: bytes) -> NoReturn:
    """Play the peer and the master of one conversation, in which each line goes back to the peer."""
    now = monotonic()
    session = Session.open(0, WARMUP_LIMITS, now)
    if dialect is WEB:
        session = Session.open_socket(0, WARMUP_LIMITS, now, now + WARMUP_LIMITS.join_timeout)
        opening, line = encode_masked(opening, WARMUP_MASK), encode_masked(line, WARMUP_MASK)
    try:
        os.set_blocking(master.reading, True)
        master.send(pack_session(session))
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
