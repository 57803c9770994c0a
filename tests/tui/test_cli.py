"""The command chat-tui: its options, their sources, and the exit codes."""

import os
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from protocol import __version__
from tests.running import MISSING, PATIENCE, ROOT, Server
from tests.tui.conftest import StartServer
from tests.tui.pseudo_terminal import Terminal
from tui import cli
from tui.address import Address
from tui.settings import Settings, config_file, remembered_file

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's configuration folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return config_file().parent


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """`refused(*arguments)`: the sentence for a usage error."""

    def refused(*arguments: str) -> str:
        assert cli.run_command(list(arguments)) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        assert printed.err.startswith("chat-tui: ")
        return printed.err

    return refused


def run(*arguments: str, input: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        input=input,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def said(server: Server) -> list[tuple[str, str]]:
    """The nicknames and texts so far."""
    peer = server.rich("reader")
    return [(event["nick"], event["text"]) for event in peer.welcome["history"] if event["type"] == "said"]


@contextmanager
def opened(terminal: Terminal) -> Iterator[Terminal]:
    try:
        yield terminal
    finally:
        terminal.close()


def room(server: Server) -> str:
    return f"127.0.0.1:{server.address[1]}"


def test_help_has_the_options_the_examples_and_the_exit_codes() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    options = ("--host", "--model", "--bind", "--motd", "--history", "--nick", "--plain", "--theme", "--no-mouse")
    for word in (*options, "--no-bell", "--config", "--version", "Examples:", "echo hello |", "69", "130", "CHAT_TUI_"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("chat-tui --model ", "plain,process plain,thread plain,event"),
        ("chat-tui --model t", "plain,thread"),
        ("chat-tui --motd ", "file,"),
        ("chat-tui --transcript ", "file,"),
        ("chat-tui --config ", "file,"),
        ("chat-tui --theme room-", "plain,room-dark plain,room-light"),
    ],
)
def test_the_shell_completes_values(typed: str, offered: str) -> None:
    cursor = str(len(typed.split()) - (not typed.endswith(" ")))
    done = run(COMP_WORDS=typed, COMP_CWORD=cursor, _CHAT_TUI_COMPLETE="bash_complete")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == offered.split()


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"chat-tui {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--nonsense",), "--nonsense"),
        (("a", "b"), "b"),
        (("--host", "room.example"), "leave one of them out"),
        (("room.example", "--model", "thread"), "--model"),
        (("room.example", "--rate-limit", "off"), "--rate-limit"),
        (("--host", "--model", "fork"), "process, thread or event"),
        (("room:port",), "no port"),
        (("[::1",), "bracket"),
        (("room", "-n", "a b"), "no spaces"),
        (("room", "-n", "\x1b[2J"), "letters, digits"),
        (("room", "--config", MISSING), MISSING),
        (("room\x1b[2J",), "host name"),
        (("--host", "--plain", "--history", "many"), "--history"),
        (("--host", "--plain", "--bind", "nowhere"), "--bind"),
        (("--host", "--plain", "--bind", "127.0.0.1:0", "--motd", MISSING), MISSING),
    ],
)
def test_bad_usage_gets_one_sentence_and_code_2(
    refused: Callable[..., str], arguments: tuple[str, ...], word: str
) -> None:
    sentence = refused(*arguments)
    assert word in sentence
    assert "\x1b" not in sentence


def test_configuration_in_utf16_gets_one_sentence(refused: Callable[..., str], folder: Path) -> None:
    folder.mkdir(parents=True)
    config_file().write_text('theme = "nord"\n', "utf-16")
    assert refused("room.example").endswith(f"the configuration file {config_file()} is UTF-16; save it as UTF-8\n")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("nonsense = 1", "nonsense"),
        ("theme = ", "not TOML"),
        ("theme = true", "must be text"),
        ('mouse = "no"', "true or false"),
        ("bell = 1", "true or false"),
        ("nick = []", "must be text"),
        ("bind = 2000", "must be text, or a list of texts"),
        ("bind = []", "must be text, or a list of texts"),
        ("host = true", "only on the command line"),
        ('config = "x"', "only on the command line"),
        ("[theme]", "must be text"),
        pytest.param("history = 0x" + "f" * 9999, "must be text", id="a number that Python would not write down"),
    ],
)
def test_a_bad_configuration_gets_one_sentence_and_code_2(
    refused: Callable[..., str], folder: Path, content: str, word: str
) -> None:
    folder.mkdir(parents=True)
    config_file().write_text(content)
    sentence = refused("room.example")
    assert word in sentence
    assert str(config_file()) in sentence


def test_unreadable_configuration_folder_is_reported(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *how: object, **more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)  # Root may write to every folder.
    monkeypatch.setattr("tui.settings._read_regular_file", refuse)
    assert refused("room.example") == (
        f"chat-tui: the configuration file {config_file()} cannot be read: Permission denied\n"
    )


def test_help_can_be_had_with_a_broken_configuration(folder: Path) -> None:
    folder.mkdir(parents=True)
    config_file().write_text("nonsense")
    assert run("--help").returncode == 0


def test_port_in_use_is_reported_as_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("--host", "--plain", "--bind", f"127.0.0.1:{taken.getsockname()[1]}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "is in use already" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_flag_beats_the_environment_which_beats_the_file(start_server: StartServer, folder: Path) -> None:
    server = start_server()
    folder.mkdir(parents=True)
    config_file().write_text('nick = "file"\nhistory = 3\n')
    assert run(room(server), input="1").returncode == 0
    assert run(room(server), input="2", CHAT_TUI_NICK="environment").returncode == 0
    assert run(room(server), "-n", "flag", input="3", CHAT_TUI_NICK="environment").returncode == 0
    assert said(server) == [("file", "1"), ("environment", "2"), ("flag", "3")]


def test_another_file_can_be_named_by_flag_or_environment(
    start_server: StartServer, folder: Path, tmp_path: Path
) -> None:
    server = start_server()
    folder.mkdir(parents=True)
    config_file().write_text("this file = is not read")
    other = tmp_path / "other.toml"
    other.write_text('nick = "other"')
    assert run(room(server), "--config", str(other), input="1").returncode == 0
    assert run(room(server), input="2", CHAT_TUI_CONFIG=str(other)).returncode == 0
    assert said(server) == [("other", "1"), ("other", "2")]


def test_configured_host_options_do_not_prevent_joining(start_server: StartServer, folder: Path) -> None:
    server = start_server()
    folder.mkdir(parents=True)
    config_file().write_text('model = "thread"\nrate-limit = "off"\n')
    assert run(room(server), "-n", "bot", input="hello", CHAT_TUI_BIND="127.0.0.1:0").returncode == 0
    assert said(server) == [("bot", "hello")]


def test_the_options_of_the_server_reach_it(tmp_path: Path) -> None:
    motd = tmp_path / "motd.txt"
    motd.write_text("be kind\n")
    options = ("--bind", "127.0.0.1:0", "--motd", str(motd), "--model", "thread", "--rate-limit", "off")
    done = run("--host", *options, "-n", "ada", input="/status")
    assert done.returncode == 0, done.stderr
    assert "*** be kind" in done.stdout
    assert "*** model thread, 1 connected" in done.stdout


@pytest.mark.parametrize("source", ["flags", "environment", "file"])
def test_hosted_room_is_bound_to_all_addresses_given(folder: Path, source: str) -> None:
    addresses = ("127.0.0.2:0", "127.0.0.3:0")
    folder.mkdir(parents=True)
    if source == "file":
        config_file().write_text(f"bind = {list(addresses)}\n")
    flags = [word for one in addresses for word in ("--bind", one)] if source == "flags" else []
    environment = {"CHAT_TUI_BIND": " ".join(addresses)} if source == "environment" else {}
    done = run("--host", "--plain", *flags, "-n", "ada", input="", **environment)
    assert done.returncode == 0, done.stderr
    assert "chat-tui 127.0.0.2:" in done.stdout + done.stderr
    assert "chat-tui 127.0.0.3:" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("flags", "port"),
    [((), 0), (("--ssh-port", "2222"), 2222), (("--no-ssh",), None), (("--ssh-port", "1", "--no-ssh"), None)],
)
def test_host_opens_the_door_for_ssh_unless_told_not_to(
    monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], port: int | None
) -> None:
    monkeypatch.delenv("CHAT_TUI_NO_SSH")
    with cli.command.make_context("chat-tui", ["--host", "--ssh-host-key", "/x", *flags]) as context:
        given = {name: value for name, value in context.params.items() if name not in ("bind", "no_ssh")}
        options = cli.host_options(given, (), with_ssh=not context.params["no_ssh"])
    assert options.ssh_port == port
    assert options.server_options == ("--ssh-host-key", "/x")


@pytest.mark.parametrize("port", ["", "0", "x", "65536", "-1"])
def test_invalid_ssh_port_is_refused(port: str) -> None:
    done = run("--host", "--plain", "--ssh-port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--ssh-port: " in done.stderr


@pytest.mark.parametrize("address", ["", "a b", "x:99999", "[::1"])
def test_invalid_address_for_guests_is_refused(address: str) -> None:
    done = run("--host", "--plain", "--address", address or " ")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--address: " in done.stderr


def test_given_address_is_told_first_and_known_to_the_server() -> None:
    done = run("--host", "--plain", "--bind", "127.0.0.1:0", "--address", "room.example", "-n", "ada", input="")
    assert done.returncode == 0, done.stderr
    first, second = [line for line in done.stderr.splitlines() if "the room is open" in line]
    assert "chat-tui room.example:" in first
    assert "chat-tui 127.0.0.1:" in second


def test_address_for_guests_is_for_hosts_alone() -> None:
    done = run("192.0.2.7", "--plain", "--address", "room.example")
    assert done.returncode == 2
    assert "--address is for a room of your own" in done.stderr


def test_ssh_options_without_a_room_of_ones_own_are_refused() -> None:
    for flags in (("--ssh-port", "2022"), ("--no-ssh",), ("--ssh-host-key", "x")):
        done = run("192.0.2.7", "--plain", *flags)
        assert done.returncode == 2
        assert f"{flags[0]} is for a room of your own" in done.stderr


def test_default_room_is_the_last_one_or_a_local_one() -> None:
    assert cli.choose_room(None, Settings()) == Address("127.0.0.1", 2000)
    assert cli.choose_room(None, Settings(rooms=("room.example:2001", "other"))) == Address("room.example", 2001)
    assert cli.choose_room(None, Settings(rooms=("not:a:room]", "other"))) == Address("other", 2000)
    assert cli.choose_room("third:3", Settings(rooms=("other",))) == Address("third", 3)


def test_unknown_theme_is_reported_with_the_known_ones() -> None:
    terminal = Terminal("127.0.0.1:1", "--theme", "nonsense")
    try:
        assert terminal.exit_code() == 2
        assert "there is no theme 'nonsense'; there are" in terminal.text
        assert "\x1b[?1049h" not in terminal.output
    finally:
        terminal.close()


@pytest.mark.parametrize("theme", ["room-light", "room-dark", "nord"])
def test_each_theme_can_be_chosen(theme: str) -> None:
    with opened(Terminal("127.0.0.1:1", "--theme", theme)) as terminal:
        terminal.sees("your nickname")


def test_remembered_theme_is_used_if_it_exists(folder: Path) -> None:
    folder.mkdir(parents=True)
    for theme in ("room-light", "gone-since"):
        remembered_file().write_text(f'theme = "{theme}"\n')
        with opened(Terminal("127.0.0.1:1")) as terminal:
            terminal.sees("your nickname")


@pytest.mark.parametrize("source", ["environment", "file"])
def test_a_theme_from_elsewhere_is_checked_like_a_flag(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    folder.mkdir(parents=True)
    if source == "file":
        config_file().write_text('theme = "nonsense"\n')
    else:
        monkeypatch.setenv("CHAT_TUI_THEME", "nonsense")
    with opened(Terminal("127.0.0.1:1")) as terminal:
        assert terminal.exit_code() == 2
        assert "there is no theme 'nonsense'; there are" in terminal.text


def test_setting_changed_back_is_remembered(start_server: StartServer) -> None:
    with opened(Terminal(room(start_server()), "-n", "ada")) as terminal:
        terminal.sees("1 here")
        for bell in (False, True):
            terminal.type("/bell\r")
            terminal.sees("the bell rings" if bell else "the bell is silent")
            assert tomllib.loads(remembered_file().read_text())["bell"] is bell


def test_full_screen_needs_a_terminal_and_no_plain_option(
    start_server: StartServer,
) -> None:
    server = start_server()
    for options, full in (((), True), (("--plain",), False)):
        terminal = Terminal(room(server), "-n", "ada", *options)
        try:
            terminal.sees("event")
            assert ("\x1b[?1049h" in terminal.output) is full
        finally:
            terminal.close()
