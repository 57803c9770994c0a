"""The start and the end of each command, before and after the code of its modules."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import PATIENCE
from three_chat_rooms import raise_file_limit

COMMANDS = {"chat-server": "server", "chat-tui": "tui", "chat-crowd": "tui.crowd"}
FULL = Path("/dev/full")

on_linux = pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_into_80_columns(root: Path, command: str) -> None:
    program = [sys.executable, "-m", COMMANDS[command], "--help"]
    environment = os.environ | {"COLUMNS": "80", "XDG_CONFIG_HOME": "/etc"}
    told = subprocess.run(program, cwd=root, env=environment, capture_output=True, text=True, timeout=PATIENCE).stdout
    assert [line for line in told.splitlines() if len(line) > 80] == []
    assert told.startswith(f"Usage: {command} ")


@on_linux
@pytest.mark.parametrize(
    ("command", "option"), [*((command, "--help") for command in COMMANDS), ("chat-server", "--version")]
)
def test_help_to_a_full_disk_exits_with_1(root: Path, command: str, option: str) -> None:
    with FULL.open("w") as full:
        program = [sys.executable, "-m", COMMANDS[command], option]
        done = subprocess.run(program, cwd=root, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert done.stderr == f"{command}: cannot go on: No space left on device\n"
    assert done.returncode == 1


@on_linux
@pytest.mark.parametrize("command", ["chat-server", "chat-tui"])
def test_usage_error_to_a_full_disk_keeps_its_exit_code(root: Path, command: str) -> None:
    with FULL.open("w") as full:
        program = [sys.executable, "-m", COMMANDS[command], "--nonsense"]
        done = subprocess.run(program, cwd=root, stdout=subprocess.PIPE, stderr=full, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (2, b"")


LOADS_LONG = """
import time
print("loading", flush=True)
for _ in range(600):
    time.sleep(0.1)  # Not 60 s at once: a signal just before a sleep is handled after it.
"""


@pytest.mark.parametrize("module", [*COMMANDS.values(), "tui.console"])
def test_ctrl_c_while_it_still_loads_ends_it_without_a_word(root: Path, tmp_path: Path, module: str) -> None:
    for library in ("click", "prompt_toolkit"):
        (tmp_path / f"{library}.py").write_text(LOADS_LONG)
    with subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "loading\n"
        program.send_signal(signal.SIGINT)
        told = program.communicate(timeout=PATIENCE)
    assert (program.returncode, *told) == (130, "", "")


@pytest.mark.parametrize("hiding", ["server.py", "protocol.py", "tui.py", "server/__init__.py"])
@pytest.mark.parametrize("command", COMMANDS)
def test_command_beside_files_with_our_names_works(command: str, hiding: str, tmp_path: Path) -> None:
    hide(tmp_path, hiding)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    program = [Path(sys.executable).with_name(command), "--help"]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: {command} ")


@pytest.mark.parametrize("hiding", ["server.py", "protocol.py"])
def test_module_run_in_folder_with_our_names_works(hiding: str, tmp_path: Path) -> None:
    hide(tmp_path, hiding)
    program = [sys.executable, "-m", "tui", "--help"]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")


def test_hosted_room_beside_files_with_our_names_works(tmp_path: Path) -> None:
    """The server, the guardian and the fork server are processes that find our packages themselves."""
    for name in ("server.py", "protocol.py", "tui.py"):
        hide(tmp_path, name)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    options = ["--host", "--plain", "--bind", "127.0.0.1:0", "--model", "process", "-n", "ada"]
    program = [Path(sys.executable).with_name("chat-tui"), *options]
    done = subprocess.run(
        program, cwd=tmp_path, env=environment, input="/status\n", capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert "model process, 1 connected, you: process" in done.stdout


def hide(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("# a little script of mine\n")


def test_the_limit_on_files_is_raised_as_far_as_it_goes() -> None:
    pid = os.fork()
    if pid == 0:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        raise_file_limit()
        os._exit(0 if resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
