"""The full screen under random input: it lives, obeys Ctrl+Q, and leaves the terminal as it was.

Another seed, or a longer run: `FUZZ_SEED=7 FUZZ_STEPS=5000 pytest tests/tui/test_fuzz.py`.
"""

import os
import time
from pathlib import Path
from random import Random

import pytest

from tests.pace import is_within
from tests.tui.conftest import Open, StartServer
from tests.tui.pseudo_terminal import Terminal
from tests.tui.random_input import Resize, random_input

SEED = int(os.environ.get("FUZZ_SEED", "1"))
STEPS = int(os.environ.get("FUZZ_STEPS", "120"))
MAX_PAUSE_S = 0.03
LEAVE_WITHIN_S = 2.5
"""A client's goodbye, or a host's, that ends its server too."""
CTRL_Q = "\x11"


def fuzz(terminal: Terminal, random: Random, steps: int) -> list[object]:
    """Send random input until the program ends, or `steps` times. Returns what was sent."""
    sent: list[object] = []
    while len(sent) < steps and terminal.process.poll() is None:
        sent.append(made := random_input(random))
        if isinstance(made, Resize):
            terminal.resize(made.columns, made.rows)
        else:
            terminal.send(made)
        time.sleep(random.choice((0, 0, MAX_PAUSE_S)))  # How fast input comes is what is tested.
    return sent


def assert_left_well(terminal: Terminal, sent: list[object]) -> None:
    history = f"seed {SEED}, after {len(sent)} steps: {sent[-20:]}"
    assert terminal.exit_code() in (0, 130), f"{history}\n{terminal.text[-3000:]}"
    assert "Traceback" not in terminal.text, history
    terminal.assert_left_clean()


@pytest.mark.parametrize("is_host", [False, True], ids=["client", "host"])
def test_random_input_leaves_the_screen_working(
    is_host: bool, start_server: StartServer, open_terminal: Open, tmp_path: Path
) -> None:
    arguments = ["--host", "--bind", "127.0.0.1:0"]
    if not is_host:
        arguments = [f"127.0.0.1:{start_server('event', '--rate-limit', 'off').address[1]}"]
    random, steps = Random(SEED), STEPS
    while steps > 0:
        terminal = open_terminal(*arguments, "-n", "ada", environment={"XDG_CONFIG_HOME": str(tmp_path)}, cwd=tmp_path)
        terminal.sees("Any key: to the room" if is_host else "event loop")
        sent = fuzz(terminal, random, steps)
        steps -= len(sent)
        if terminal.process.poll() is None:
            terminal.type(CTRL_Q)
            began = time.monotonic()
            terminal.exit_code()
            took = time.monotonic() - began
            assert is_within(took, LEAVE_WITHIN_S), f"seed {SEED}: it took {took:.2f} s to leave, after {sent[-20:]}"
        assert_left_well(terminal, sent)
