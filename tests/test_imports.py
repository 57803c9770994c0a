"""Imports at run time: the import contracts read the source, these tests the modules of a new interpreter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import PATIENCE

SCREENS = {"textual", "rich", "prompt_toolkit"}
INPUT_OUTPUT = {
    "asyncio", "concurrent", "multiprocessing", "queue", "select", "selectors", "signal", "socket", "ssl", "subprocess",
}  # fmt: skip
LARGE = {
    "click",
    "confusable_homoglyphs",
    "hashlib",
    "ipaddress",
    "logging",
    "psutil",
    "subprocess",
    "threading",
    "tomllib",
}
"""Modules that a fork server does not load: all workers would keep their memory."""
MODELS = ("server.models.process", "server.models.thread", "server.models.event")


def loaded_by(*modules: str, cwd: Path) -> set[str]:
    """Return all modules that a new interpreter has loaded after importing these, in this order."""
    program = (
        "import importlib, json, sys\n"
        "before = set(sys.modules)\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=cwd, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def modules_of(package: str, root: Path) -> list[str]:
    """Return all modules of a package without `__main__`, which runs when it is imported."""
    files = sorted((root / package).rglob("*.py"))
    names = [".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for file in files]
    return [name for name in names if not name.endswith("__main__")]


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_every_module_is_found_in_the_three_packages(root: Path) -> None:
    assert "protocol.framing" in modules_of("protocol", root)
    assert "server.models" in modules_of("server", root)
    assert "tui.screens" in modules_of("tui", root)


def test_protocol_loads_nothing_of_ours_and_nothing_that_does_io(root: Path) -> None:
    loaded = packages(loaded_by(*modules_of("protocol", root), cwd=root))
    assert "protocol" in loaded
    assert not loaded & ({"server", "tui"} | SCREENS | INPUT_OUTPUT)


def test_server_loads_neither_tui_nor_a_screen_library(root: Path) -> None:
    loaded = packages(loaded_by(*modules_of("server", root), cwd=root))
    assert {"server", "protocol"} <= loaded
    assert not loaded & ({"tui"} | SCREENS)


def test_tui_never_loads_server(root: Path) -> None:
    loaded = packages(loaded_by(*modules_of("tui", root), cwd=root))
    assert {"tui", "protocol"} <= loaded
    assert "server" not in loaded


@pytest.mark.parametrize("command", ["server.cli", "tui.cli"])
def test_command_help_loads_no_screen_library(command: str, root: Path) -> None:
    assert not packages(loaded_by(command, cwd=root)) & SCREENS


@pytest.mark.parametrize("program", ["server.cli", "tui.cli", "tui.app", "tui.line.run", "tui.console.console"])
def test_only_the_ssh_door_loads_its_library(program: str, root: Path) -> None:
    assert not packages(loaded_by(program, cwd=root)) & {"asyncssh", "cryptography"}
    assert {"asyncssh", "cryptography"} <= packages(loaded_by("tui.ssh.door", cwd=root))


@pytest.mark.parametrize("model", MODELS)
def test_a_model_does_not_load_the_other_two(model: str, root: Path) -> None:
    assert loaded_by(model, cwd=root) & set(MODELS) == {model}


def test_fork_server_loads_no_large_module(root: Path) -> None:
    assert not loaded_by("server.models.support.process.fork_server", cwd=root) & LARGE


def test_benchmarks_can_be_collected(root: Path) -> None:
    """No other test imports them, so a renamed class would be found only by `make bench`."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/bench"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout
