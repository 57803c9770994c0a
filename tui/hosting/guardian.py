"""The process between chat-tui and the server it hosts: it ends the server when chat-tui has ended for any reason.

Run as `python -I -S guardian.py FD TIMEOUT COMMAND…`. FD is the read end of a pipe. Only chat-tui holds the write end,
so the pipe ends when chat-tui closes it, crashes or is killed with SIGKILL. This works on every POSIX system, while
PR_SET_PDEATHSIG exists on Linux only. SIGTERM, SIGINT and SIGHUP are passed on. The server is a child of this process,
so its process id is not reused before it is reaped here.

The limit: after SIGKILL to this process itself, the server keeps running and must be stopped by hand.
"""

import os
import signal
import subprocess
import sys
import threading
import time


def guard_server(lifeline: int, timeout: float, command: list[str]) -> int:
    """Run `command` until it ends. At the end of `lifeline`, send SIGTERM, and SIGKILL after `timeout` seconds. Returns
    the exit code, or 128 + N if signal N ended the command."""
    os.set_inheritable(lifeline, False)
    server = subprocess.Popen(command, process_group=0, close_fds=False)  # The server may inherit descriptors.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: server.send_signal(number))
    threading.Thread(target=_watch, args=(lifeline, timeout, server), daemon=True).start()
    code = server.wait()
    try:
        os.killpg(server.pid, signal.SIGKILL)  # Children that a killed server may have left.
    except (ProcessLookupError, PermissionError):
        pass  # The group is empty. macOS reports EPERM for a group of ended processes.
    return code if code >= 0 else 128 - code


def _watch(lifeline: int, timeout: float, server: subprocess.Popen[bytes]) -> None:
    os.read(lifeline, 1)
    server.terminate()
    time.sleep(timeout)
    server.kill()


if __name__ == "__main__":
    sys.exit(guard_server(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
