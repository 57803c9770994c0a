"""The command as its host meets it: real processes, told by options, signals, files and the environment."""

import itertools
import json
import os
import pty
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil
import pytest

from protocol import __version__
from protocol.messages import Limits
from server.cli import command, reload
from server.listener import Listener
from server.room.room import Room
from server.settings import FIELDS, Settings
from tests.pace import is_within
from tests.running import LISTENING, MISSING, OPERATOR_KEY, PATIENCE, ROOT, PlainPeer, RichPeer, Server, wait_until

MODELS = ["process", "thread", "event"]
COMMAND = (sys.executable, "-m", "server")
Open = Callable[..., Server]


@pytest.fixture
def open_room(tmp_path: Path) -> Iterator[Open]:
    """`open_room(*options)`: a server on a free port of 127.0.0.1, ended after the test."""
    servers: list[Server] = []

    def start(*options: str, before: tuple[str, ...] = ()) -> Server:
        bind = () if "--bind" in options else ("--bind", "127.0.0.1:0")
        servers.append(Server([*before, *COMMAND, *bind, *options], dict(os.environ), tmp_path / f"log{len(servers)}"))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
        assert "Traceback" not in server.log(), server.log()


def run(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command where it is to end by itself."""
    return subprocess.run([*COMMAND, *args], input=stdin, cwd=ROOT, capture_output=True, timeout=PATIENCE)


def refusal(*args: str, status: int, stdin: bytes = b"") -> str:
    """The command's error when it does not serve: one line, after its name."""
    done = run(*args, stdin=stdin)
    told = done.stderr.decode()
    assert (done.returncode, done.stdout) == (status, b""), told
    assert told.startswith("chat-server: ")
    assert told.endswith("\n")
    assert told.count("\n") == 1, told
    return told.removeprefix("chat-server: ").rstrip("\n")


# Help and version


def test_it_tells_its_version() -> None:
    assert run("--version").stdout.decode() == f"chat-server {__version__}\n"


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_the_help_shows_examples_the_file_and_the_exit_codes(flag: str) -> None:
    told = run(flag).stdout.decode()
    assert "chat-server --model thread --bind 0.0.0.0:2000" in told
    assert "nc 127.0.0.1 2000" in told
    assert "CHAT_SERVER_MAX_LINE" in told
    assert f"{os.environ['XDG_CONFIG_HOME']}/chat-server/config.toml" in told.replace("\n", "").replace(" ", "")
    assert "130 on Ctrl-C" in told


def test_every_setting_is_an_option_in_their_order() -> None:
    shown = [option for option in command.params if not getattr(option, "hidden", False)]
    named = [option.name.replace("_", "-") for option in shown if option.name]
    assert named == [*FIELDS, "config", "version"]
    with_room = {**os.environ, "COLUMNS": "80", "XDG_CONFIG_HOME": "/etc"}
    told = subprocess.run(
        [*COMMAND, "--help"], cwd=ROOT, env=with_room, capture_output=True, timeout=PATIENCE
    ).stdout.decode()
    assert all(f"--{name} " in told or f"--{name}\n" in told for name in named)
    assert "<=" not in told


def test_the_console_script_is_the_same_command() -> None:
    script = Path(sys.executable).with_name("chat-server")
    assert subprocess.run([script, "--help"], capture_output=True, timeout=PATIENCE).stdout == run("--help").stdout


@pytest.mark.parametrize("model", MODELS)
def test_listening_line_names_address_model_and_pid(open_room: Open, model: str) -> None:
    command = [*COMMAND, "--bind", "127.0.0.1:0", "--model", model]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        [port] = _listening_ports(psutil.Process(server.pid))
        ada = RichPeer(("127.0.0.1", port))
        ada.hello("ada")
        ada.close()
        server.terminate()
        rest = server.stdout.read()
    assert line == f"listening on 127.0.0.1:{port} (model {model}, pid {server.pid})\n"
    assert ada.welcome["model"] == model
    assert rest == "", "nothing else goes to standard output"


def test_an_ipv6_address_stands_in_brackets(open_room: Open) -> None:
    server = open_room("--bind", "[::1]:0")
    assert server.address[0] == "[::1]"
    with socket.create_connection(("::1", server.address[1]), timeout=PATIENCE) as peer:
        peer.sendall(b"ada\n")
        assert peer.recv(100).startswith(b"Connected to chat server\n")


# How it ends


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
@pytest.mark.parametrize("model", MODELS)
def test_signal_ends_server_with_goodbyes_and_without_children(
    open_room: Open, model: str, number: signal.Signals, status: int
) -> None:
    server = open_room("--model", model)
    ada, bob, silent = server.plain("ada"), server.rich("bob"), server.connect()
    ada.say("last words")
    bob.expect("said", text="last words")
    children = server.children()
    assert len(children) >= (3 if model == "process" else 0)
    assert server.terminate(number) == status
    assert ada.lines_until_closed()[-1] == "*** goodbye: the room closes"
    assert bob.expect("goodbye")["code"] == "closing"
    silent.lines_until_closed()
    assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []


def test_signal_right_after_the_listening_line_ends_it_cleanly() -> None:
    for _ in range(5):
        with subprocess.Popen([*COMMAND, "--bind", "127.0.0.1:0"], cwd=ROOT, stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            server.stdout.readline()
            server.terminate()
            assert server.wait(PATIENCE) == 0


def test_ctrl_c_does_not_reach_the_child_processes(open_room: Open) -> None:
    alone = "import os, sys; os.setsid(); os.execv(sys.argv[1], sys.argv[1:])"
    server = open_room("--model", "process", before=(sys.executable, "-c", alone))
    server.plain("ada")
    leader = server.process.pid
    assert os.getpgid(leader) == leader
    assert len(server.children()) == 2
    assert leader not in {os.getpgid(child.pid) for child in server.children()}
    os.killpg(leader, signal.SIGINT)
    assert server.process.wait(PATIENCE) == 130
    assert server.log() == ""


def test_second_ctrl_c_does_not_wait_for_slow_readers(open_room: Open) -> None:
    server = open_room("--rate-limit", "off")
    ada = server.plain("ada")
    enough = _chunks_until_let_go(server, ada, "deaf")
    if "*** deaf left" not in ada.heard:  # The room may tell it before it answers /who, or after.
        ada.expect("deaf left")
    _chunks_until_let_go(server, ada, "blind", at_most=int(enough * 0.9))
    server.process.send_signal(signal.SIGINT)
    ada.expect("goodbye")
    asked = time.monotonic()
    with pytest.raises(psutil.TimeoutExpired):
        server.process.wait(0.2)
    assert server.terminate(signal.SIGINT) == 130
    assert is_within(time.monotonic() - asked, 1.5)  # The goodbyes have 2 seconds.


def _chunks_until_let_go(server: Server, ada: PlainPeer, nick: str, at_most: int = 1000) -> int:
    """Say many lines to a client that does not read. The size of the system's buffers depends on the machine."""
    server.connect(receive_buffer=4096).send(f"{nick}\n")
    ada.expect(f"{nick} joined")
    for count in range(1, at_most + 1):
        ada.send(f"{'x' * 1900}\n" * 50 + "/who\n")
        if "*** 1 here: ada" in ada.expect(" here: "):
            return count
    return at_most


def test_when_its_terminal_is_gone_it_ends(tmp_path: Path) -> None:
    screen, program = pty.openpty()
    # setsid and the first terminal opened: it is the session's, so the end of it hangs the session up.
    script = (
        f"import os, sys; os.setsid(); os.open({os.ttyname(program)!r}, os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-c", script, *COMMAND, "--bind", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=ROOT, stdin=program, stdout=subprocess.PIPE, stderr=program) as server:
        os.close(program)
        assert server.stdout is not None
        assert server.stdout.readline().startswith(b"listening on ")
        os.close(screen)
        assert server.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("bug_in", "told"),
    [
        ("handover.serve", "the server has failed because of a bug, and all connections have ended; see the log"),
        ("cli.raise_file_limit", "the server could not start, because of a bug; see the log"),
    ],
)
def test_unexpected_failure_is_logged_and_exits_with_1(bug_in: str, told: str) -> None:
    program = (
        "from server import cli, handover\n"
        "def fail(*args): raise KeyError('a bug')\n"
        f"{bug_in} = fail\n"
        "cli.main(['--bind', '127.0.0.1:0'])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert "  KeyError: 'a bug'" in done.stderr.splitlines()
    assert done.stderr.splitlines()[-1] == f"chat-server: {told}"


# Wrong usage


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--nonsense"], "No such option '--nonsense'."),
        (["room"], "Got unexpected extra argument (room)"),
        (["--bind"], "Option '--bind' requires an argument."),
        (["--model", "fork"], "--model must be process, thread or event, and is 'fork'"),
        (["--bind", "2000"], "--bind must be HOST:PORT, with an IPv6 host in brackets"),
        (["--bind", "192.0.2.7:0"], "the server cannot listen on 192.0.2.7:0: "),
        (["--bind", "a..b:0"], "the server cannot listen on a..b:0: "),
        (
            ["--rate-limit", "fast"],
            "--rate-limit must be BURST/RATE, like 10/2 and neither above 999999, or off, and is",
        ),
        (["--max-clients", "-1"], "--max-clients must be a whole number up to 1000000, 0 for no limit, and is '-1'"),
        (["--motd", MISSING], f"the message of the day {MISSING} cannot be read: No such file"),
        (["--motd", "/dev/zero"], "the message of the day /dev/zero is not a regular file"),
        (["--motd", ""], "--motd must be the name of a file, and is ''"),
        (["--config", MISSING], f"the configuration file {MISSING} cannot be read: No such file"),
        (["--operator-key-file", MISSING], f"the operator's key file {MISSING} cannot be read: No such file"),
        (["--operator-key-file", "-"], "the operator's key on standard input is empty"),
        (["--operator-key-file", "/dev/zero"], "the operator's key file /dev/zero is not a regular file"),
        (["-v", "-q"], "the log cannot be verbose and quiet at once"),
    ],
)
def test_bad_usage_gets_one_plain_sentence_and_exit_code_2(args: list[str], told: str) -> None:
    if "--bind" not in args:
        args = [*args, "--bind", "127.0.0.1:0"]
    assert refusal(*args, status=2).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("max_client = 1", "has a key chat-server does not know: 'max_client'; is it max-clients?"),
        ("max-clients = 'many'", "must be a whole number up to 1000000, 0 for no limit, and is 'many'"),
        ("max-clients = ", "is not TOML: "),
    ],
)
def test_a_bad_file_is_named_with_its_key_and_is_exit_code_2(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "room.toml"
    file.write_text(text)
    sentence = refusal("--config", str(file), status=2)
    assert f"configuration file {file}" in sentence
    assert told in sentence


def test_a_bad_variable_is_named_and_is_exit_code_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_SERVER_KEEP", "everything")
    assert refusal(status=2).startswith("CHAT_SERVER_KEEP must be a number of events up to 100000, and is 'everything'")


def test_refusal_is_harmless_on_a_terminal() -> None:
    assert "\x1b" not in refusal("--model", "\x1b[2J", status=2)


def test_a_port_in_use_is_one_plain_sentence_and_exit_code_1(open_room: Open) -> None:
    port = open_room().address[1]
    assert refusal("--bind", f"127.0.0.1:{port}", status=1) == (
        f"127.0.0.1:{port} is in use already; --bind HOST:PORT chooses another"
    )


# Each option, seen from outside


def test_max_clients_turns_the_next_one_away(open_room: Open) -> None:
    server = open_room("--max-clients", "1")
    ada = server.plain("ada")
    assert server.connect().lines_until_closed() == ["*** goodbye: the room is full: it takes 1 connection"]
    ada.close()
    wait_until(lambda: _is_let_in(server), "somebody else is let in")


def _is_let_in(server: Server) -> bool:
    try:
        server.plain("bob")
    except AssertionError:
        return False
    return True


def test_max_per_ip_turns_the_next_one_from_there_away(open_room: Open) -> None:
    server = open_room("--max-per-ip", "2")
    server.plain("ada"), server.plain("bob")
    [told] = server.connect().lines_until_closed()
    assert told == "*** goodbye: there are 2 connections from your address already"


def test_rate_limit_slows_a_member_above_the_burst(open_room: Open) -> None:
    ada = open_room("--rate-limit", "3/50").rich("ada")
    assert (ada.welcome["limits"]["burst"], ada.welcome["limits"]["rate"]) == (3, 50.0)
    for number in range(20):
        ada.say(f"line {number}", f"id{number}")
    assert "50 lines a second" in ada.expect("notice")["text"]
    ada.expect("said", id="id19")


def test_without_a_rate_limit_no_member_is_slowed(open_room: Open) -> None:
    ada = open_room("--rate-limit", "off").rich("ada")
    for number in range(200):
        ada.say(f"line {number}", f"id{number}")
    assert not [event for event in ada.sync() if event["type"] == "notice"]


def test_max_line_is_the_longest_line_that_is_taken(open_room: Open) -> None:
    server = open_room("--max-line", "300")
    ada, bob = server.plain("ada"), server.plain("bob")
    ada.say("x" * 301)
    ada.expect("a line has at most 300 bytes; yours had 301")
    ada.say("y" * 300)
    assert bob.expect("yyy")[-1] == f"ada: {'y' * 300}"


def test_history_limits_the_lines_for_a_newcomer(open_room: Open) -> None:
    server = open_room("--history", "2")
    ada = server.rich("ada")
    for number in range(4):
        ada.say(f"line {number}")
    ada.sync()
    assert [event["text"] for event in server.rich("bob").welcome["history"]] == ["line 2", "line 3"]


def test_keep_limits_the_events_for_a_returning_member(open_room: Open) -> None:
    server = open_room("--keep", "3")
    ada = server.rich("ada")
    for number in range(8):
        ada.say(f"line {number}")
    ada.sync()
    welcome = server.rich("ada", resume={"token": ada.welcome["token"], "after": 0}).welcome
    assert len(welcome["history"]) == 3
    assert welcome["missed"] == welcome["seq"] - 3


def test_motd_is_shown_to_a_newcomer_and_is_harmless(open_room: Open, tmp_path: Path) -> None:
    file = tmp_path / "motd"
    file.write_bytes("Welcome, Zoë!\r\nNo \x1b[31mred\x1b[0m here.\n\n".encode())
    server = open_room("--motd", str(file))
    ada = server.plain("ada")
    assert [ada.line(), ada.line()] == ["*** Welcome, Zoë!", "*** No ␛[31mred␛[0m here."]
    assert server.rich("bob").welcome["motd"] == "Welcome, Zoë!\nNo ␛[31mred␛[0m here."


def test_join_timeout_is_how_long_it_waits_for_a_nickname(open_room: Open) -> None:
    silent = open_room("--join-timeout", "0.3").connect()
    # A greeting may come before it, if the machine is busy.
    assert silent.lines_until_closed()[-1] == "*** goodbye: no nickname came within 0.3 seconds"


def test_idle_timeout_ends_a_silent_connection(open_room: Open) -> None:
    ada = open_room("--idle-timeout", "0.3").plain("ada")
    assert ada.lines_until_closed()[-1] == "*** goodbye: nothing was heard of you for 0.3 seconds"


def test_operators_key_is_the_file_without_white_space(open_room: Open, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"\n  {OPERATOR_KEY} \r\n")
    (tmp_path / "key").chmod(0o600)
    boss = open_room("--operator-key-file", str(tmp_path / "key")).operator()
    assert boss.switch("thread")["before"] == "event"


def test_the_operators_key_can_come_through_standard_input() -> None:
    command = [*COMMAND, "--bind", "127.0.0.1:0", "--operator-key-file", "-"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(f"{OPERATOR_KEY}\n")
        server.stdin.close()
        found = LISTENING.fullmatch(server.stdout.readline().strip())
        assert found
        boss = RichPeer((found[1], int(found[2])))
        boss.hello("boss")
        boss.prove()
        boss.close()
        server.terminate()


def test_without_a_key_there_are_no_operators(open_room: Open) -> None:
    ada = open_room().rich("ada")
    ada.command("operator", proof="00")
    assert ada.expect("refused")["code"] == "no-operators"


def test_the_log_is_quiet_unless_asked(open_room: Open) -> None:
    server = open_room()
    server.plain("ada")
    assert server.terminate() == 0
    assert server.log() == ""


def test_log_has_the_servers_actions_as_text_or_json(open_room: Open) -> None:
    text, objects = open_room("-v"), open_room("-v", "--log-format", "json")
    for server in (text, objects):
        server.plain("ada")
        assert server.terminate() == 0
    assert " INFO the event model takes 0 connections over\n" in text.log()
    entries = [json.loads(line) for line in objects.log().splitlines()]
    assert ("info", "the event model takes 0 connections over") in [(e["level"], e["message"]) for e in entries]
    assert {entry["pid"] for entry in entries} == {objects.process.pid}


def test_quiet_log_has_only_failures(open_room: Open, tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text("keep = 5")
    quiet, usual = open_room("-q", "--config", str(file)), open_room("--config", str(file))
    file.write_text("keep = 6\nmax-line = 300")
    for server in (usual, quiet):
        server.process.send_signal(signal.SIGHUP)
        _wait_for_line_limit(server, 300)
    assert "WARNING changes of keep" in usual.log()
    file.write_text("keep = -1")
    quiet.process.send_signal(signal.SIGHUP)
    wait_until(lambda: " ERROR nothing has changed" in quiet.log(), "the error is logged")
    assert quiet.log().count("\n") == 1


def _wait_for_line_limit(server: Server, limit: int) -> None:
    """A signal is heard within a moment, and nothing says when: newcomers find out."""
    names = (f"newcomer{number}" for number in itertools.count())
    wait_until(lambda: server.rich(next(names)).welcome["limits"]["line"] == limit, "the file was read again")


def test_twice_verbose_the_log_tells_of_each_connection(open_room: Open) -> None:
    server = open_room("-vv")
    server.plain("ada").close()
    wait_until(lambda: "DEBUG connection 1 closed" in server.log(), "it closes")
    assert " DEBUG connection 1 opened from 127.0.0.1\n" in server.log()


# Where a setting comes from


def test_flag_beats_environment_and_that_beats_a_named_file(
    open_room: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "room.toml"
    file.write_text('model = "thread"\nmax-line = 300\nrate-limit = "1/1"\n')
    monkeypatch.setenv("CHAT_SERVER_MAX_LINE", "400")
    monkeypatch.setenv("CHAT_SERVER_RATE_LIMIT", "2/2")
    limits = open_room("--config", str(file), "--rate-limit", "3/3").rich("ada").welcome
    assert limits["model"] == "thread"
    assert (limits["limits"]["line"], limits["limits"]["burst"]) == (400, 3)


def test_file_in_the_users_folder_is_read_by_default(
    open_room: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "chat-server").mkdir()
    (tmp_path / "chat-server" / "motd.txt").write_text("from home")
    (tmp_path / "chat-server" / "config.toml").write_text('model = "process"\nmotd = "motd.txt"\n')
    (tmp_path / "other.toml").write_text("history = 1\n")
    server = open_room()
    assert (server.model, server.rich("ada").welcome["motd"]) == ("process", "from home")
    monkeypatch.setenv("CHAT_SERVER_CONFIG", str(tmp_path / "other.toml"))
    assert open_room().model == "event"


# While it runs


@pytest.mark.parametrize("model", MODELS)
def test_sighup_reads_message_of_the_day_and_limits_again(open_room: Open, model: str, tmp_path: Path) -> None:
    file, motd = tmp_path / "room.toml", tmp_path / "motd"
    file.write_text('motd = "motd"\nmax-line = 300\n')
    motd.write_text("before")
    server = open_room("--model", model, "--config", str(file))
    stranger, ada = server.rich_stranger(), server.rich("ada")
    assert "a chat room" in stranger.line()  # It is served from now on, with the limits of this time.
    file.write_text('motd = "motd"\nmax-line = 600\nmax-clients = 3\nkeep = 5\n')
    motd.write_text("after")
    server.process.send_signal(signal.SIGHUP)
    bob = _newcomer_welcomed_with(server, "after")
    assert bob.welcome["limits"]["line"] == 600
    # Earlier connections keep the limits of the time at which they came.
    stranger.send('{"type":"hello","nick":"cleo"}\n')
    assert stranger.expect("welcome")["limits"]["line"] == 300
    ada.say("x" * 400, "long")
    assert ada.expect("refused")["code"] == "line-too-long"
    bob.say("x" * 400, "long")
    bob.expect("said", id="long")
    assert "changes of keep take effect at the next start" in server.log()
    assert "the room is full" in server.connect().line()


def _newcomer_welcomed_with(server: Server, motd: str) -> RichPeer:
    """A signal is heard within a moment, and nothing says when: newcomers find out."""
    deadline = time.monotonic() + PATIENCE
    while True:
        bob = server.rich("bob")
        if bob.welcome["motd"] == motd:
            return bob
        bob.command("quit")
        bob.lines_until_closed()
        assert time.monotonic() < deadline, f"nobody was welcomed with {motd!r}"


def test_broken_file_on_sighup_is_logged_and_changes_nothing(open_room: Open, tmp_path: Path) -> None:
    file, motd = tmp_path / "room.toml", tmp_path / "motd"
    file.write_text('motd = "motd"\n')
    motd.write_text("before")
    server = open_room("--config", str(file))
    motd.write_text("after")
    for text, told in (
        ("max-line = 1", "max-line in"),
        ('motd = "gone"', "No such file"),
        ("[", "is not TOML"),
        (f"max-line = {'9' * 5000}", "too many digits"),
    ):
        file.write_text(text)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda told=told: told in server.log(), f"the log says {told}")
    assert server.log().count(" ERROR nothing has changed: ") == 4
    assert server.rich("ada").welcome["motd"] == "before"


def test_unexpected_failure_on_sighup_is_logged_only(caplog: pytest.LogCaptureFixture) -> None:
    def load() -> Settings:
        raise KeyError("a bug")

    listener, room = SimpleNamespace(limits=Limits(line=300)), SimpleNamespace(motd="before")
    reload(load, Settings(), cast(Listener, listener), cast(Room, room))
    [told] = caplog.records
    assert (
        told.getMessage() == "nothing has changed: the settings could not be read again, because of a bug in the server"
    )
    assert told.exc_info
    assert (listener.limits, room.motd) == (Limits(line=300), "before")


def test_a_flag_still_beats_the_file_on_sighup(open_room: Open, tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_text("max-line = 300")
    server = open_room("-v", "--config", str(file), "--max-line", "400")
    file.write_text("max-line = 500")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "were read again" in server.log(), "the signal is heard")
    assert server.rich("ada").welcome["limits"]["line"] == 400


# Unusual environments


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes(open_room: Open) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    server = open_room(before=("sh", "-c", 'ulimit -Sn 64; exec "$@"', "sh"))
    assert server.process.rlimit(psutil.RLIMIT_NOFILE) == (hard, hard)


def test_listening_line_need_not_be_read(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen([*COMMAND, "--bind", "127.0.0.1:0"], cwd=ROOT, stdout=writing, stderr=log) as server,
    ):
        os.close(writing)
        wait_until(lambda: b"listening on 127.0.0.1:" in (tmp_path / "log").read_bytes(), "the log says where")
        server.terminate()
        assert server.wait(PATIENCE) == 0


def test_closed_standard_descriptors_are_not_reused_by_peers(tmp_path: Path) -> None:
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *COMMAND, "--bind", "127.0.0.1:0", "-vv"]
    with subprocess.Popen(command, cwd=ROOT) as server:
        process = psutil.Process(server.pid)
        wait_until(lambda: _listening_ports(process), "it listens")
        ada = PlainPeer(("127.0.0.1", _listening_ports(process)[0]))
        ada.join("ada")
        targets = [str(Path(f"/proc/{server.pid}/fd/{number}").readlink()) for number in range(3)]
        server.send_signal(signal.SIGHUP)  # It has something to log.
        server.terminate()
        assert [line for line in ada.lines_until_closed() if not line.startswith("***")] == []
        ada.close()
        assert targets == ["/dev/null"] * 3
        assert server.wait(PATIENCE) == 0


def _listening_ports(process: psutil.Process) -> list[int]:
    return [found.laddr.port for found in process.net_connections("tcp") if found.status == psutil.CONN_LISTEN]
