"""Each command of the documents runs as it stands there, in a shell, against a real server.

Only the address becomes the server's, and long runs are shortened. A command that takes minutes is planned and not run:
`make --dry-run`, `pytest --collect-only`.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

import server.cli
import tui.cli
import tui.crowd.cli
from tests.docs.test_architecture import PAGES
from tests.running import PATIENCE, ROOT, Server, start
from tests.tui.pseudo_terminal import Terminal
from tui.commands.parse import COMMANDS, ChatLine, ParsedCommand, parse

DOCUMENTED_ADDRESS = re.compile(r"\b(?:192\.0\.2\.7|127\.0\.0\.1)\b( 2000)?")
PROGRAMS = Path(sys.executable).parent
OUR_PROGRAMS = {"chat-server": server.cli.command, "chat-tui": tui.cli.command, "chat-crowd": tui.crowd.cli.main}
JOINED = "2 connected"


class Shell:
    """A shell that runs documented commands, in a folder of its own, with the address of a real server."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "XDG_CONFIG_HOME": str(folder / "settings"),
            "CHAT_TUI_BIND": "127.0.0.1:0",
            "CHAT_SERVER_BIND": "127.0.0.1:0",
        }
        self.screens: list[Terminal] = []

    def with_address(self, line: str) -> str:
        """The command with the server's address in place of the documented one."""
        host, port = self.server.address
        return DOCUMENTED_ADDRESS.sub(lambda match: f"{host} {port}" if match[1] else f"{host}:{port}", line)

    def start(self, line: str, **options: int) -> subprocess.Popen[str]:
        """The command, running."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
        return subprocess.Popen(["sh", "-c", line], cwd=ROOT, env=self.environment, text=True, **pipes)

    def run(self, line: str) -> str:
        """The output of a command, which ends with success."""
        with self.start(line) as process:
            output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, f"{line} ended with {process.returncode}: {output}"
        return output

    def show(self, line: str) -> Terminal:
        """The full screen that a command draws."""
        self.screens.append(Terminal(line, environment=self.environment, program=("sh", "-c")))
        return self.screens[-1]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    server = start("event", tmp_path)
    shell = Shell(server, tmp_path)
    yield shell
    for screen in shell.screens:
        screen.close()
    server.close()


def documented(root: Path) -> list[str]:
    """The command lines of all code blocks for a shell, without comments."""
    blocks = (re.findall(r"^```sh\n(.*?)^```", (root / page).read_text(), re.M | re.S) for page in PAGES)
    lines = "".join(block for page in blocks for block in page).splitlines()
    return [line for line in (re.sub(r"\s+#.*", "", line) for line in lines) if not is_output(line)]


def is_output(line: str) -> bool:
    return line.startswith("listening on ")


# The runners


def joins_by_lines(shell: Shell, line: str) -> None:
    """A client that a person types into."""
    watcher = shell.server.rich("watcher")
    client = shell.start(f"exec {shell.with_address(line)}")
    assert client.stdin is not None
    client.stdin.write("ada\nhello\n")
    client.stdin.flush()
    watcher.expect("said", nick="ada", text="hello")
    client.kill()
    client.communicate(timeout=PATIENCE)


def says_hello(shell: Shell, line: str) -> None:
    """A pipe into the room, which ends by itself."""
    watcher = shell.server.rich("watcher")
    shell.run(shell.with_address(line))
    watcher.expect("said", text="hello")


def joins_by_ssh(shell: Shell, line: str) -> None:
    """A client of the ssh door: at a pipe it ends by itself, at a terminal a person types into it."""
    server = start("event", shell.folder, "--ssh", "127.0.0.1:0", "--ssh-host-key", str(shell.folder / "host_key"))
    try:
        watcher = server.rich("watcher")
        port = server.next_report().partition(" (")[0].rpartition(":")[2]
        options = "-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        command = re.sub(r"ssh -p 2022 ada@[\d.]+", f"ssh {options} -p {port} ada@127.0.0.1", line)
        assert command != line
        if "|" in line:
            shell.run(command)
            watcher.expect("said", nick="ada", text="two")
        else:
            screen = shell.show(command)
            screen.sees("you are in the room, as ada")
            screen.type("hello\r\x04")
            watcher.expect("said", nick="ada", text="hello")
            assert screen.exit_code() == 0
    finally:
        server.close()


def draws_screen(shell: Shell, line: str) -> None:
    """The full screen, in a room or before it."""
    shell.server.rich("watcher")
    screen = shell.show(shell.with_address(line))
    screen.sees("nickname" if "-n" not in shlex.split(line) else JOINED)
    screen.type("\x11")
    assert screen.exit_code() == 0


def opens_room(shell: Shell, line: str) -> None:
    """A host's screen: the join card, or the nickname that it asks for first."""
    screen = shell.show(line)
    screen.sees("nickname")
    screen.type("ada\r")
    screen.sees("nc 127.0.0.1")
    screen.type("\x11")
    assert screen.exit_code() == 0


def completes_options(shell: Shell, line: str) -> None:
    assert "chat-tui" in shell.run(f"bash -c {shlex.quote(line + '; complete -p chat-tui')}")


def runs_server(shell: Shell, line: str) -> None:
    """A server that prints the documented line and ends after SIGTERM."""
    documented_line = "listening on 0.0.0.0:2000 (model thread, pid 1234)"
    process = shell.start(f"exec {line.removesuffix(' &').replace('0.0.0.0:2000', '127.0.0.1:0')}")
    assert process.stdout is not None
    printed = process.stdout.readline().strip()
    pattern = re.sub(r"\d+(?:\\\.\d+)*", r"[\\d.]+", re.escape(documented_line)).replace("thread", r"\w+")
    assert re.fullmatch(pattern, printed), printed
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def brings_audience(shell: Shell, line: str) -> None:
    shorter = line.replace("--people 200", "--people 20").replace("--for 60", "--for 1")
    assert shorter != line
    assert "lost" in shell.run(shell.with_address(shorter))


def is_planned_by_make(shell: Shell, line: str) -> None:
    """The goal exists, and so does each module that it would run."""
    plan = shell.run(line.replace("make", "make --dry-run", 1))
    modules = re.findall(r"\.venv/bin/python -m ([\w.]+)", plan)
    assert modules or "Nothing to be done" in plan
    assert [module for module in modules if find_spec(module) is None] == []


def is_planned_by_pytest(shell: Shell, line: str) -> None:
    """The named tests exist."""
    arguments = line.removeprefix(".venv/bin/pytest").replace("--snapshot-update", "").replace("-n 2", "")
    shell.run(f"{shlex.quote(sys.executable)} -m pytest --collect-only -q {arguments}")


def is_run_elsewhere(shell: Shell, line: str) -> None:
    """tests/docs/test_bots.py runs it."""


RUNNERS: list[tuple[str, Callable[[Shell, str], None]]] = [
    (r"make host", opens_room),
    (r"make .*", is_planned_by_make),
    (r"\.venv/bin/pytest .*", is_planned_by_pytest),
    (r"nc .*", joins_by_lines),
    (r"(.*\| )?ssh -p .*", joins_by_ssh),
    (r"printf .*|echo .*", says_hello),
    (r"(\.venv/bin/)?chat-tui .*", draws_screen),
    (r'eval "\$\(_CHAT_TUI_COMPLETE.*', completes_options),
    (r"chat-server .*", runs_server),
    (r"chat-crowd .*", brings_audience),
    (r"python bot\.py .*", is_run_elsewhere),
]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(
            line,
            marks=[pytest.mark.needs(program) for program in ("nc", "bash", "ssh") if re.search(rf"\b{program}", line)],
        )
        for line in documented(ROOT)
    ],
)
def test_command_runs(shell: Shell, line: str) -> None:
    runner = next((run for pattern, run in RUNNERS if re.fullmatch(pattern, line)), None)
    assert runner is not None, f"no runner for {line}"
    runner(shell, line)


# Commands in a sentence


def in_sentences(root: Path, pattern: str) -> list[str]:
    """The pieces of code in sentences and tables that match `pattern`."""
    pages = (re.sub(r"^```.*?^```", "", (root / page).read_text(), flags=re.M | re.S) for page in PAGES)
    return sorted({code for page in pages for code in re.findall(r"`([^`\n]+)`", page) if re.fullmatch(pattern, code)})


@pytest.mark.parametrize("line", in_sentences(ROOT, r"chat-(?:server|tui|crowd) .*"))
def test_options_in_sentences_exist(line: str) -> None:
    name, *arguments = shlex.split(line)
    command = OUR_PROGRAMS[name]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    known |= set(command.get_help_option_names(click.Context(command)))
    assert [option for option in arguments if option.startswith("-") and option not in known] == []


@pytest.mark.parametrize("line", in_sentences(ROOT, r"make \w+"))
def test_goals_in_sentences_exist(line: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(rf"^{line.removeprefix('make ')}: .*##", makefile, re.M)


@pytest.mark.parametrize("line", in_sentences(ROOT, r"/[a-z]+(?:-[a-z]+)*(?: .*)?"))
def test_typed_commands_exist(line: str) -> None:
    """A command with its arguments is parsed; the optional ones are left out. Without arguments, its name exists."""
    typed = re.sub(r" \[\w+\]", "", line).replace("SECONDS", "5")
    assert typed.partition(" ")[0][1:] in {command.name for command in COMMANDS}
    if " " in typed:
        assert isinstance(parse(typed), ParsedCommand | ChatLine)
