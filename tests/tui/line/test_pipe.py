"""chat-tui without a terminal: it says its input, and ends when all of it is acknowledged."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from protocol.format import NOW_SERVED
from protocol.messages import Model
from tests import running
from tests.running import PATIENCE, Server, readable, wait_until
from tests.tui.conftest import StartServer

each_model = pytest.mark.parametrize("model", list(Model))
StartPipe = Callable[..., "Pipe"]


class Pipe:
    """chat-tui with pipes for its three streams, by default."""

    def __init__(
        self, folder: Path, *options: str, stdin: int = subprocess.PIPE, stdout: int = subprocess.PIPE
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui", *options],
            cwd=running.ROOT,
            env=os.environ | {"XDG_CONFIG_HOME": str(folder), "LC_ALL": "C.UTF-8"},
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )

    def types(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def prints(self, wanted: str) -> str:
        """Wait for a line on its standard output."""
        return self._next(self.process.stdout, wanted)

    def tells(self, wanted: str) -> str:
        """Wait for a line on its standard error."""
        return self._next(self.process.stderr, wanted)

    def ends(self, data: bytes = b"") -> tuple[int, str, str]:
        """Send the rest of the input. Returns the exit code, standard output and standard error."""
        printed, told = self.process.communicate(data, 2 * PATIENCE)
        return self.process.returncode, (printed or b"").decode(), told.decode()

    def close(self) -> None:
        if self.process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(self.process.pid).children(recursive=True):
                    child.terminate()
            self.process.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        self.process.wait(PATIENCE)

    @staticmethod
    def _next(stream: object, wanted: str) -> str:
        lines = []
        while not lines or wanted not in lines[-1]:
            assert readable(stream, PATIENCE), f"{wanted!r} never came: {lines}"  # type: ignore[arg-type]
            line = b""
            while not line.endswith(b"\n"):
                byte = os.read(stream.fileno(), 1)  # type: ignore[attr-defined]
                assert byte, f"it ended before {wanted!r}: {lines}"
                line += byte
            lines.append(line.decode())
        return lines[-1]


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[StartPipe]:
    started: list[Pipe] = []

    def start(server: Server | int | None, *options: str, **streams: int) -> Pipe:
        port = server.address[1] if isinstance(server, Server) else server
        room = () if port is None else (f"127.0.0.1:{port}",)
        started.append(Pipe(tmp_path, "--plain", *room, *options, **streams))
        return started[-1]

    yield start
    for one in started:
        one.close()


@each_model
def test_a_line_is_said_heard_and_the_pipe_ends(start_server: StartServer, pipe: StartPipe, model: Model) -> None:
    server = start_server(model)
    ada = server.plain("ada")
    code, printed, told = pipe(server, "-n", "bot").ends(b"hello\n")
    assert code == 0, told
    ada.expect("bot: hello")
    ada.expect("bot left")
    assert "bot: hello" not in printed.splitlines()
    assert "--- " not in printed


def test_the_last_line_needs_no_end_and_a_blank_one_is_not_said(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    ada = server.rich("ada")
    code, _, told = pipe(server, "-n", "bot").ends(b"one\r\n\n   \n\ntwo")
    assert code == 0, told
    assert ada.expect("said")["text"] == "one"
    assert ada.expect("said")["text"] == "two"


def test_pipe_says_a_file_completely_and_in_order(start_server: StartServer, pipe: StartPipe, tmp_path: Path) -> None:
    server = start_server()
    ada = server.rich("ada")
    lines = [f"line {number} é" for number in range(1000)]
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(lines))
    with file.open("rb") as stdin:
        code, _, told = pipe(server, "-n", "bot", stdin=stdin.fileno()).ends()
    assert code == 0, told
    assert [ada.expect("said")["text"] for _ in lines] == lines


def test_a_flooding_pipe_is_slowed_and_loses_nothing(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server("event", "--rate-limit", "5/40")
    ada = server.rich("ada")
    code, _, told = pipe(server, "-n", "bot").ends(b"".join(b"line %d\n" % number for number in range(25)))
    assert code == 0, told
    assert [ada.expect("said")["text"] for _ in range(25)] == [f"line {number}" for number in range(25)]


def test_pipe_in_slow_mode_repeats_refused_lines_in_order(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    boss = server.operator()
    boss.command("slow", seconds=0.2)
    boss.sync()
    code, _, told = pipe(server, "-n", "bot").ends(b"".join(b"line %d\n" % number for number in range(6)))
    assert code == 0, told
    assert [boss.expect("said")["text"] for _ in range(6)] == [f"line {number}" for number in range(6)]


def test_pipe_keeps_order_when_slow_mode_begins(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    boss = server.operator()
    bot = pipe(server, "-n", "bot")
    bot.tells("you are in the room")
    boss.command("slow", seconds=0.1)
    code, _, told = bot.ends(b"".join(b"line %d\n" % number for number in range(8)))
    assert code == 0, told
    assert [boss.expect("said")["text"] for _ in range(8)] == [f"line {number}" for number in range(8)]


def test_pipe_prints_lines_in_the_plain_dialect(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    bot = pipe(server, "-n", "bot")
    bot.tells("you are in the room, as bot")
    ada = server.rich("ada")
    ada.say("one\ntwo")
    ada.say("waves", action=True)
    assert bot.prints("joined").startswith("*** ")
    assert bot.prints("one") == "ada: one\n"
    assert bot.prints("two") == "ada: two\n"
    assert bot.prints("waves") == "* ada waves\n"
    assert bot.ends()[0] == 0


def test_commands_are_heard_and_their_answers_waited_for(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    server.plain("ada")
    code, printed, told = pipe(server, "-n", "bot").ends(b"/who\n/status\n/where\n/me waves\n//etc is a folder\n")
    assert code == 0, told
    assert "*** 2 here: ada, bot\n" in printed
    assert "*** model event, 2 connected" in printed
    later = server.rich("cleo")
    assert [event["text"] for event in later.welcome["history"]] == ["waves", "/etc is a folder"]


def test_pipe_ignores_lines_after_quit(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    assert pipe(server, "-n", "bot").ends(b"said\n/quit\nunsaid\n")[0] == 0
    assert [event["text"] for event in server.rich("cleo").welcome["history"]] == ["said"]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (b"/nonsense\n", "no command /nonsense"),
        (b"x" * 3000 + b"\n", "it has 3,000 characters, and 2,000 are allowed"),
        (b"x" * 5000 + b"\n", "it has 5,000 characters, and 2,000 are allowed"),
        ("李".encode() * 1500 + b"\n", "bytes, and 4,096 are allowed"),
        (b"/me " + b"x" * 9000 + b"\n", "it has 9,000 characters, and 2,000 are allowed"),
        (b"/model thread\n", "operator"),
    ],
    ids=["unknown", "text", "line of ASCII", "line of Chinese", "action", "order"],
)
def test_pipe_failed_command_is_reported_and_fails(
    start_server: StartServer, pipe: StartPipe, typed: bytes, why: str
) -> None:
    server = start_server()
    code, printed, told = pipe(server, "-n", "bot").ends(b"before\n" + typed + b"after\n")
    assert code == 1
    assert why in told
    assert why not in printed
    assert [event["text"] for event in server.rich("cleo").welcome["history"]] == ["before", "after"]


def test_a_line_without_end_is_left_out_and_costs_no_memory(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    code, _, told = pipe(server, "-n", "bot").ends(b"x" * 3_000_000 + b"\nafter\n")
    assert code == 1
    assert "3000000 bytes" in told
    assert [event["text"] for event in server.rich("cleo").welcome["history"]] == ["after"]


def test_bytes_that_are_no_text_are_said_as_signs_that_say_so(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    assert pipe(server, "-n", "bot").ends(b"caf\xe9 \x1b[2J\n")[0] == 0
    [said] = server.rich("cleo").welcome["history"]
    assert said["text"] == "caf\ufffd \u241b[2J"


def test_a_room_that_cannot_be_reached_is_told_with_its_code(pipe: StartPipe, free_port: int) -> None:
    code, printed, told = pipe(free_port, "-n", "bot").ends(b"hello\n")
    assert (code, printed) == (69, "")
    assert told == f"chat-tui: 127.0.0.1:{free_port} cannot be joined: nobody listens there\n"


def test_a_room_that_sends_us_away_is_told(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    server.operator().command("lock")
    code, printed, told = pipe(server, "-n", "bot").ends(b"hello\n")
    assert (code, printed) == (1, "")
    assert "the room is locked" in told


def test_a_nickname_that_is_taken_is_replaced_and_told(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    bot = server.rich("bot")
    code, _, told = pipe(server, "-n", "bot").ends(b"hello\n")
    assert code == 0, told
    said = bot.expect("said")
    assert said["nick"] != "bot"
    assert f"you are {said['nick']}" in told


@each_model
def test_lines_survive_a_server_that_is_started_anew(start_server: StartServer, pipe: StartPipe, model: Model) -> None:
    first = start_server(model)
    bot = pipe(first, "-n", "bot")
    bot.tells("you are in the room")
    bot.types(b"to the first\n")
    first.rich("ada").sync()
    first.close()
    bot.tells("the room is lost")
    bot.types(b"to the second\n")
    second = start_server(model, "--bind", f"127.0.0.1:{first.address[1]}")
    ada = second.rich("ada")
    code, _, told = bot.ends()
    assert code == 0, told
    before = [event.get("text") for event in ada.welcome.get("history", [])]
    assert "to the second" in before or ada.expect("said", text="to the second")


def test_pipe_gives_up_a_line_a_restarted_room_refuses(start_server: StartServer, pipe: StartPipe) -> None:
    first = start_server()
    bot = pipe(first, "-n", "bot")
    bot.tells("you are in the room")
    first.close()
    bot.tells("the room is lost")
    bot.types(b"x" * 1000 + b"\nshort\n")
    start_server("event", "--bind", f"127.0.0.1:{first.address[1]}", "--max-line", "512")
    bot.tells("*** that is too long: it has 1,063 bytes, and 512 are allowed")
    assert bot.ends()[0] == 1


def test_pipe_kicked_fails_with_the_reason(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    boss = server.operator()
    bot = pipe(server, "-n", "bot")
    bot.tells("you are in the room")
    boss.command("kick", nick="bot", reason="no bots here")
    bot.tells("no bots here")
    assert bot.ends()[0] == 1


def test_pipe_says_all_lines_after_its_reader_left(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    ada = server.rich("ada")
    bot = pipe(server, "-n", "bot")
    bot.tells("you are in the room")
    assert bot.process.stdout is not None
    bot.process.stdout.close()
    ada.say("into the broken pipe")
    ada.sync()
    bot.types(b"still here\n")
    ada.expect("said", text="still here")
    assert bot.process.stdin is not None
    bot.process.stdin.close()
    assert bot.process.wait(PATIENCE) == 0
    assert bot.process.stderr is not None
    assert b"Traceback" not in bot.process.stderr.read()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full is simulated by /dev/full")
def test_pipe_output_error_is_reported_once_and_lines_are_said(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    ada = server.rich("ada")
    with Path("/dev/full").open("wb") as full:
        bot = pipe(server, "-n", "bot", stdout=full.fileno())
        bot.tells("you are in the room")
        ada.say("to the full disk")
        ada.say("and more")
        ada.sync()
        code, _, told = bot.ends(b"still here\n")
    ada.expect("said", text="still here")
    assert code == 1
    assert told == "chat-tui: the output cannot be written: no space left on device\n"


def test_ctrl_c_ends_it_with_130_and_says_goodbye(start_server: StartServer, pipe: StartPipe) -> None:
    server = start_server()
    ada = server.rich("ada")
    bot = pipe(server, "-n", "bot")
    bot.types(b"here\n")
    ada.expect("said", text="here")
    bot.process.send_signal(signal.SIGINT)
    code, _, told = bot.ends()
    assert (code, "Traceback" in told) == (130, False)
    ada.expect_presence(left=["bot"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_polite_signal_ends_it_cleanly(start_server: StartServer, pipe: StartPipe, number: signal.Signals) -> None:
    server = start_server()
    bot = pipe(server, "-n", "bot")
    bot.tells("you are in the room")
    bot.process.send_signal(number)
    code, _, told = bot.ends()
    assert (code, "Traceback" in told) == (0, False)


def test_without_a_standard_input_it_leaves_at_once(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    command = f'exec "{sys.executable}" -m tui --plain 127.0.0.1:{server.address[1]} -n bot <&-'
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=running.ROOT,
        env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


@each_model
def test_a_pipe_can_host_a_room_and_give_orders(pipe: StartPipe, model: Model) -> None:
    bot = pipe(None, "--host", "--bind", "127.0.0.1:0", "--model", model, "-n", "bot")
    port = int(bot.tells("the room is open").rstrip().rpartition(":")[2])
    bot.tells("you are in the room")
    ada = running.PlainPeer(("127.0.0.1", port))
    ada.join("ada")
    bot.prints("ada joined")
    other = next(one for one in Model if one != model)
    bot.types(f"/model {other}\n".encode())
    ada.expect(NOW_SERVED[other])
    children = psutil.Process(bot.process.pid).children(recursive=True)
    assert bot.ends()[0] == 0
    ada.expect("goodbye")
    ada.close()
    wait_until(lambda: not any(child.is_running() for child in children), "the server is gone")


def test_the_log_of_a_hosted_room_can_be_kept(pipe: StartPipe, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("of yesterday\n")
    bot = pipe(None, "--host", "--bind", "127.0.0.1:0", "-n", "bot", "--log", str(log))
    bot.tells("you are in the room")
    code, _, told = bot.ends(b"/lock\n")
    assert code == 0, told
    yesterday, *today = log.read_text().splitlines()
    assert yesterday == "of yesterday"
    assert any(" WARNING bot locked the room" in line for line in today), today


def test_a_log_that_cannot_be_opened_is_told_before_a_room_is(pipe: StartPipe, tmp_path: Path) -> None:
    code, printed, told = pipe(None, "--host", "-n", "bot", "--log", str(tmp_path)).ends()
    assert (code, printed) == (2, "")
    assert told == f"chat-tui: the log {tmp_path} cannot be opened: is a directory\n"
