"""How slow this machine is: one factor by which every upper limit on measured time is stretched.

The factor is measured once, before the tests start, and handed to the workers of pytest-xdist in the environment. It is
1 on a quiet machine. It is measured again where a limit is exceeded, as the machine may have become busy meanwhile.
"""

import os
import subprocess
import sys
from time import perf_counter

VARIABLE = "THREE_CHAT_ROOMS_PACE"
QUIET_START_S = 0.010
"""How long a bare interpreter takes to start and end on a quiet machine, generously."""
STARTS = 6
MAX_FACTOR = 5.0


def measure() -> float:
    """How many times longer than on a quiet machine a bare interpreter takes, between 1 and MAX_FACTOR."""
    began = perf_counter()
    for _ in range(STARTS):
        subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True)
    return min(max(1.0, (perf_counter() - began) / STARTS / QUIET_START_S), MAX_FACTOR)


if VARIABLE not in os.environ:
    os.environ[VARIABLE] = f"{measure():.2f}"
FACTOR = float(os.environ[VARIABLE])


def allowed(seconds: float) -> float:
    """The seconds that a machine as slow as this one may take for what takes a quiet one `seconds` at most."""
    return seconds * FACTOR


def is_within(took: float, seconds: float) -> bool:
    """Whether `took` is less than the `seconds` that a quiet machine takes at most, as slow as this one is now."""
    return took < allowed(seconds) or took < seconds * measure()
