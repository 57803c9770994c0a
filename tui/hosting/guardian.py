"""The process between chat-tui and the server it hosts: ends the server when chat-tui is gone, however it went.

Run as `python -I -S guardian.py FD TIMEOUT COMMAND…`. FD is the reading end of a pipe whose other end only chat-tui
holds, so it ends when chat-tui closes it, crashes or is killed with SIGKILL, on every POSIX system (PR_SET_PDEATHSIG is
Linux's only). SIGTERM, SIGINT and SIGHUP are passed on. The server is this process's child: its number cannot come to
mean another process before it is reaped here.

The limit: SIGKILL to this process itself leaves the server running, until it is stopped by hand.
"""

import os
import signal
import subprocess
import sys
import threading
import time


def guard(life: int, timeout: float, command: list[str]) -> int:
    """Run `command` until it ends, or until `life` does: then it has `timeout` seconds after SIGTERM. Returns its exit
    code, 128 + N where signal N ended it."""
    os.set_inheritable(life, False)
    server = subprocess.Popen(command, process_group=0, close_fds=False)  # It may be handed descriptors.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: server.send_signal(number))
    threading.Thread(target=_watch, args=(life, timeout, server), daemon=True).start()
    code = server.wait()
    try:
        os.killpg(server.pid, signal.SIGKILL)  # What a server that was killed may have left.
    except (ProcessLookupError, PermissionError):
        pass  # Nothing was left. (macOS says "not permitted" of a group that has only ended processes.)
    return code if code >= 0 else 128 - code


def _watch(life: int, timeout: float, server: subprocess.Popen[bytes]) -> None:
    os.read(life, 1)
    server.terminate()
    time.sleep(timeout)
    server.kill()


if __name__ == "__main__":
    sys.exit(guard(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
