"""Real limits of the system, set for one running server."""

import os
import resource
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.running import Server

SETS_LIMITS = pytest.mark.needs("prlimit", "setpriv")

LIMITS = {"as": resource.RLIMIT_AS, "nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}


def ordinary_user() -> list[str]:
    """A command prefix that runs a command as a user of its own, for which limits on processes hold.

    They do not bind root. The one capability is for a Python that only root may read.
    """
    if os.getuid() != 0:
        return []
    user = 100_000 + os.getpid()
    reading = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *reading, "--"]


@contextmanager
def limited(server: Server, what: str, most: int, prefix: Sequence[str] = ()) -> Iterator[None]:
    """The server's processes may have no more than this, as long as the block runs. `prefix` makes us its user."""
    tree = [server.process, *server.children()]
    soft, _ = resource.getrlimit(LIMITS[what])

    def limit(number: int) -> None:
        text = "unlimited" if number == resource.RLIM_INFINITY else f"{number}"
        for process in tree:
            command = [*prefix, "prlimit", f"--pid={process.pid}", f"--{what}={text}:"]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0 or not process.is_running(), done.stderr

    limit(most)
    yield
    limit(soft)


def highest_descriptor(server: Server) -> int:
    """The highest number of an open file descriptor in the server's first process."""
    return max(int(path.name) for path in Path(f"/proc/{server.process.pid}/fd").iterdir())
