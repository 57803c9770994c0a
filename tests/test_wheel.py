"""The wheel as a user gets it: built, installed with its dependencies into an empty environment, run elsewhere."""

import email
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import protocol
from tests.pace import allowed

pytestmark = pytest.mark.timeout(allowed(300))  # may download the dependencies
PACKAGES = ("protocol", "server", "tui")
ENTRY = "three_chat_rooms.py"


def run(*command: str | Path, cwd: Path, env: dict[str, str]) -> str:
    __tracebackhide__ = True  # the environment of the caller must not be printed into a log
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        pytest.fail(f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


@pytest.fixture(scope="module")
def plain_environment(callers_environment: dict[str, str]) -> dict[str, str]:
    """The environment of the caller with its pip configuration, but without variables that show Python the checkout."""
    hidden = ("PYTHON", "VIRTUAL_ENV")
    return {name: value for name, value in callers_environment.items() if not name.startswith(hidden)}


@pytest.fixture(scope="module")
def wheel(root: Path, plain_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps")
    run(*pip, "--wheel-dir", folder, root, cwd=folder, env=plain_environment)
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, plain_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of a virtual environment with only the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("empty")
    run(sys.executable, "-m", "venv", "--without-pip", "venv", cwd=folder, env=plain_environment)
    commands = folder / "venv" / "bin"
    pip = (sys.executable, "-m", "pip", "--quiet", "--python", commands / "python")
    run(*pip, "install", "--no-compile", wheel, cwd=folder, env=plain_environment)
    return commands


def test_wheel_holds_exactly_the_three_packages(wheel: Path, root: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    here = {
        str(file.relative_to(root))
        for package in PACKAGES
        for file in (root / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert held == here | {ENTRY}
    assert {f"{package}/py.typed" for package in PACKAGES} <= held


def test_the_wheel_tells_its_version_its_python_and_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        [metadata] = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        told = email.message_from_bytes(files.read(metadata))
        assert any(name.endswith(".dist-info/licenses/LICENSE") for name in files.namelist())
    assert told["Name"] == "three-chat-rooms"
    assert told["Version"] == protocol.__version__
    assert told["Requires-Python"] == ">=3.11"
    assert told["License-Expression"] == "MIT"


@pytest.mark.parametrize("command", ["chat-server", "chat-tui"])
def test_a_command_from_the_wheel_tells_its_version(
    command: str, installed: Path, plain_environment: dict[str, str], tmp_path: Path
) -> None:
    assert protocol.__version__ in run(installed / command, "--version", cwd=tmp_path, env=plain_environment)


def test_installed_packages_are_loaded_from_the_wheel(
    installed: Path, plain_environment: dict[str, str], tmp_path: Path
) -> None:
    program = f"import {', '.join(PACKAGES)}\nfor package in {', '.join(PACKAGES)}: print(package.__file__)"
    for file in run(installed / "python", "-c", program, cwd=tmp_path, env=plain_environment).splitlines():
        assert Path(file).is_relative_to(installed.parent)
