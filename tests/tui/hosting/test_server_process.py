"""A process that hosts a server reaps orphans as the first process of a container."""

import subprocess
import sys
from pathlib import Path

from tests.peers import PATIENCE

REAPS = """
import os, time
from tui.hosting.server_process import reap_orphans
own, orphan = (os.spawnv(os.P_NOWAIT, "/bin/sh", ["sh", "-c", f"exit {code}"]) for code in (7, 0))
os.waitid(os.P_PID, own, os.WEXITED | os.WNOWAIT)
reap_orphans(own)
print(os.waitstatus_to_exitcode(os.waitpid(own, 0)[1]))
reap_orphans(own)
while True:
    try:
        os.waitid(os.P_PID, orphan, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        break
    reap_orphans(own)
print("reaped")
"""


def test_reap_orphans_leaves_own_child_and_reaps_the_others(root: Path) -> None:
    """Runs in a separate process, because it reaps all children."""
    done = subprocess.run([sys.executable, "-c", REAPS], cwd=root, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("7\nreaped\n", "")
