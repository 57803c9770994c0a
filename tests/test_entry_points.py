"""The commands in the first moments after their start: signals that come while they are being imported."""

import signal
import subprocess
import sys

import pytest

from tests.running import ROOT

PROGRAM = """
import os, sys
import three_chat_rooms

class Interrupter:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), {number})

three_chat_rooms.claim_names()
sys.meta_path.insert(0, Interrupter())
sys.argv[1:] = ["--version"]
three_chat_rooms.{command}()
"""
"""Runs a command that gets a signal when it imports a module for the first time."""


def run(command: str, module: str, number: int) -> tuple[int, str]:
    """The exit code, and standard error."""
    program = PROGRAM.format(command=command, module=module, number=int(number))
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("chat_server", "server"),
        ("chat_server", "server.cli"),
        ("chat_tui", "tui"),
        ("chat_tui", "tui.cli"),
        ("chat_crowd", "tui.crowd"),
        ("chat_crowd", "tui.crowd.cli"),
    ],
)
def test_interrupt_during_import_ends_without_traceback(command: str, module: str) -> None:
    assert run(command, module, signal.SIGINT) == (130, "")


@pytest.mark.parametrize("module", ["server", "server.__main__", "server.cli"])
def test_hangup_during_import_does_not_end_the_server(module: str) -> None:
    assert run("chat_server", module, signal.SIGHUP) == (0, "")
