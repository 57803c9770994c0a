"""The fork server: a small process that does nothing but fork workers for the process model.

Forking from the server itself would copy more with each child, would run what `threading`, `logging` and others hook
into a fork, and is not safe once there are threads. So the master starts this one (see `ForkServer` in `forking`)
with little in it, and sends it each connection's socket and pipes. Nothing is imported here that imports `threading`.
"""

import errno
import gc
import os
import signal
import socket
import struct
import sys

from server.processes.pipes import Channel
from server.processes.rehearsal import rehearse
from server.processes.worker import work

ANSWER = struct.Struct("!i")
"""What a request is answered with: the pid of the child, or minus the errno of a fork that failed."""
READY = ANSWER.pack(0)
"""What it says first."""
DESCRIPTORS = struct.Struct("3i")
"""What comes with a request: the peer's socket, and the worker's two pipe ends."""
SPACE = socket.CMSG_SPACE(DESCRIPTORS.size)


def main(control: socket.socket) -> None:
    """Fork a worker for each request, until the master is gone; then wait for the last of them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # The master is asked to end, and asks us; a terminal's Ctrl-C goes to all of us.
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # No zombies: the pipe tells the master that a worker has ended.
    rehearse()
    gc.collect()
    gc.freeze()  # What the garbage collector does not touch stays shared with the children.
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
    request, ancillary, _, _ = control.recvmsg(
        1, SPACE
    )  # `socket.recv_fds` does the same, and costs each child 40 KiB.
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


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
