"""The pace of this machine: a factor by which each upper limit on measured time is multiplied.

The factor is measured once, before the tests start, and passed to the workers of pytest-xdist in the environment. It is
1 on a quiet machine. It is measured again if a limit is exceeded, as the machine may have become busy meanwhile.
"""

import os
import subprocess
import sys
from time import perf_counter

VARIABLE = "THREE_CHAT_ROOMS_PACE"
QUIET_START_S = 0.010
"""The time in which a bare interpreter starts and ends on a quiet machine, with a reserve."""
STARTS = 6
MAX_FACTOR = 5.0


def measure() -> float:
    """Measure the start of a bare interpreter, as a multiple of QUIET_START_S between 1 and MAX_FACTOR."""
    began = perf_counter()
    for _ in range(STARTS):
        subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True)
    return min(max(1.0, (perf_counter() - began) / STARTS / QUIET_START_S), MAX_FACTOR)


if VARIABLE not in os.environ:
    os.environ[VARIABLE] = f"{measure():.2f}"
FACTOR = float(os.environ[VARIABLE])


def allowed(seconds: float) -> float:
    """Return the limit on this machine for work that takes a quiet machine at most `seconds`."""
    return seconds * FACTOR


def is_within(took: float, seconds: float) -> bool:
    """Return True if `took` is less than `allowed(seconds)`, with a new measurement if it is not."""
    return took < allowed(seconds) or took < seconds * measure()
