"""Line mode on a pseudo-terminal: input, the lines above it, and a hostile audience."""

import re
import signal
import sys
import time
import tomllib
import unicodedata
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from protocol.messages import Model
from tests.running import PATIENCE, PlainPeer, Server
from tests.tui import hostile
from tests.tui.conftest import StartServer
from tests.tui.emulator import Emulator
from tests.tui.pseudo_terminal import SEQUENCE, Terminal
from tui.style import style_of

each_model = pytest.mark.parametrize("model", list(Model))
Open = Callable[..., Terminal]
UP, PASTE, PASTED, CTRL_U, CTRL_C, CTRL_D = "\x1b[A", "\x1b[200~", "\x1b[201~", "\x15", "\x03", "\x04"
CALM = {"PROMPT_TOOLKIT_COLOR_DEPTH": "DEPTH_4_BIT"}
"""No colour that a stranger's could be mistaken for."""
OURS = re.compile(
    r"\x1b\[(?:"
    r"0?(?:;?(?:[1347]|22|23|24|27|3[0-7]|39|9[0-7]))*m"  # attributes and the 16 colours
    r"|\d*[ABCD]|[JK]|\?(?:1|7|12|25|2004)[hl]"
    r")"
)
"""The sequences that prompt_toolkit writes."""
COLOUR = re.compile(r"\x1b\[[\d;]*\b(?:3\d|4\d|9\d|10\d)(?:;[\d;]*)?m")


@pytest.fixture
def open_prompt(tmp_path: Path) -> Iterator[Open]:
    """`open_prompt(server, *options, environment={}, size=(80, 24), nick="ada")`."""
    opened: list[Terminal] = []

    def open_prompt(
        room: Server | str | None, *options: str, nick: str | None = "ada", environment: dict[str, str] | None = None
    ) -> Terminal:
        address = f"127.0.0.1:{room.address[1]}" if isinstance(room, Server) else room
        arguments = ["--plain", *([address] if address else []), *(["-n", nick] if nick else []), *options]
        environment = CALM | {"XDG_CONFIG_HOME": str(tmp_path)} | (environment or {})
        opened.append(Terminal(*arguments, environment=environment, size=(80, 24)))
        return opened[-1]

    yield open_prompt
    for terminal in opened:
        terminal.close()


def join(terminal: Terminal) -> None:
    terminal.sees("you are in the room, as ada")
    terminal.sees("❯")


def rings(terminal: Terminal) -> int:
    return terminal.output.count("\x07")


def assert_left_clean(terminal: Terminal) -> None:
    """The terminal is restored for the shell: cursor, echo and paste mode."""
    assert terminal.output.rindex("\x1b[?25h") > terminal.output.rindex("\x1b[?25l")
    assert terminal.output.rindex("\x1b[?2004l") > terminal.output.rindex("\x1b[?2004h")
    assert terminal.settings == terminal.settings_before


def assert_harmless(output: str) -> None:
    """The output has only prompt_toolkit's sequences: no other control, and no bidirectional or hidden text."""
    for sequence in SEQUENCE.finditer(output):
        assert OURS.fullmatch(sequence[0]), f"a stranger's sequence: {sequence[0]!r}"
    # prompt_toolkit writes a backspace to move left, and a carriage return at the last column, between sequences.
    drawn = re.sub(r"\r+\n", "", SEQUENCE.sub("", re.sub(r"[\x08\r](?=\x1b)", "", output)))
    bad = {char for char in set(drawn) if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert not bad, f"characters that do something: {bad!r}"
    assert not re.search(r"[\u0300-\u036f\u0483-\u0489]{4}", drawn), "a tower of combining marks"


@each_model
def test_prompt_shows_model_and_count_in_the_toolbar(
    start_server: StartServer, open_prompt: Open, model: Model
) -> None:
    server = start_server(model)
    bob = server.plain("bob")
    ada = open_prompt(server)
    join(ada)
    ada.sees(f"{style_of(model).sign} {model}")
    ada.sees("2 connected")
    ada.type("hello\r")
    bob.expect("ada: hello")
    ada.sees("ada: hello")
    bob.say("good evening")
    ada.sees("bob: good evening")
    bob.close()
    ada.sees("*** bob left")
    since = len(ada.text)
    ada.type("/status\r")  # Only changes are redrawn until a line is printed.
    ada.sees("1 connected", since)
    ada.type("/quit\r")
    assert ada.exit_code() == 0
    assert_left_clean(ada)
    assert ada.text.count("ada: hello") == 1


def test_prompt_keeps_typed_text_when_lines_arrive(start_server: StartServer, open_prompt: Open) -> None:
    server = start_server()
    bob = server.plain("bob")
    ada = open_prompt(server)
    join(ada)
    ada.type("half a li")
    ada.sees("half a li")
    for number in range(5):
        bob.say(f"interruption {number}")
    ada.sees("interruption 4")
    since = len(ada.text)
    bob.say("one more")
    ada.sees("one more", since)
    ada.sees("❯ half a li", since)
    ada.type("ne\r")
    bob.expect("ada: half a line")


def test_prompt_tab_completes_latest_speaker_first(start_server: StartServer, open_prompt: Open) -> None:
    server = start_server()
    adam, anna = server.plain("adam"), server.plain("anna")
    ada = open_prompt(server)
    join(ada)
    adam.say("first")
    ada.sees("adam: first")
    anna.say("second")
    ada.sees("anna: second")
    ada.type("a\thello\r")
    anna.expect("ada: anna: hello")
    ada.type("a\t\t")
    ada.type("you too\r")
    anna.expect("ada: adam: you too")
    ada.type("/m\twaves\r")
    anna.expect("* ada waves")


def test_prompt_up_walks_through_the_history(start_server: StartServer, open_prompt: Open) -> None:
    server = start_server()
    bob = server.rich("bob")
    ada = open_prompt(server)
    join(ada)
    for keys in ("first\r", "second\r"):
        ada.type(keys)
        bob.expect("said", text=keys.strip())
    ada.type(f"{UP}{UP}\r")
    assert bob.expect("said")["text"] == "first"


def test_prompt_paste_of_several_lines_is_one_message(start_server: StartServer, open_prompt: Open) -> None:
    server = start_server()
    bob = server.rich("bob")
    ada = open_prompt(server)
    join(ada)
    ada.type(f"{PASTE}one\r\n  two\nthree{PASTED}")
    ada.sees("three")
    ada.type("\r")
    assert bob.expect("said")["text"] == "one\n  two\nthree"
    ada.sees("ada: three")


def test_a_nickname_is_asked_for_refused_at_once_and_remembered(
    start_server: StartServer, open_prompt: Open, tmp_path: Path
) -> None:
    server = start_server()
    ada = open_prompt(server, nick=None)
    ada.sees("your nickname in 127.0.0.1")
    ada.type("a d a\r")
    ada.sees("no spaces")
    ada.type(f"{CTRL_U}ada\r")
    join(ada)
    ada.type(CTRL_D)
    assert ada.exit_code() == 0
    remembered = tomllib.loads((tmp_path / "chat-tui" / "remembered.toml").read_text())
    assert remembered["nick"] == "ada"
    assert remembered["rooms"] == [f"127.0.0.1:{server.address[1]}"]
    again = open_prompt(None, nick=None)  # The room is remembered too.
    again.sees(f"your nickname in 127.0.0.1:{server.address[1]}: ada")
    again.type("\r")
    join(again)


def test_prompt_taken_nickname_is_asked_again(start_server: StartServer, open_prompt: Open) -> None:
    server = start_server()
    server.plain("ada")
    bob = server.rich("bob")
    ada = open_prompt(server)
    ada.sees("ada is taken")
    ada.sees("your nickname in")
    ada.type("\r")
    ada.sees("you are in the room, as ada")
    ada.type("hello\r")
    assert bob.expect("said")["nick"].startswith("ada")


@pytest.mark.parametrize(
    ("keys", "number", "code"),
    [(CTRL_D, 0, 0), (CTRL_C, 0, 130), ("/quit\r", 0, 0), ("", signal.SIGTERM, 0), ("", signal.SIGHUP, 0)],
)
def test_prompt_each_exit_leaves_a_clean_terminal(
    start_server: StartServer, open_prompt: Open, keys: str, number: int, code: int
) -> None:
    server = start_server()
    bob = server.plain("bob")
    ada = open_prompt(server)
    join(ada)
    bob.expect("ada joined")
    if number:
        ada.signal(number)
    else:
        ada.type(keys)
    assert ada.exit_code() == code
    bob.expect("ada left")
    assert "Traceback" not in ada.text
    assert_left_clean(ada)


@pytest.mark.parametrize("keys", [CTRL_D, CTRL_C])
def test_the_nickname_prompt_can_be_left(start_server: StartServer, open_prompt: Open, keys: str) -> None:
    ada = open_prompt(start_server(), nick=None)
    ada.sees("your nickname in")
    ada.type(keys)
    assert ada.exit_code() == (130 if keys == CTRL_C else 0)
    assert_left_clean(ada)


def test_a_room_that_cannot_be_reached_is_told_with_its_code(open_prompt: Open, free_port: int) -> None:
    ada = open_prompt(f"127.0.0.1:{free_port}")
    assert ada.exit_code() == 69
    assert "cannot be joined: nobody listens there" in ada.text


def test_prompt_kicked_shows_reason_and_ends(start_server: StartServer, open_prompt: Open) -> None:
    server = start_server()
    boss = server.operator()
    ada = open_prompt(server)
    join(ada)
    boss.command("kick", nick="ada", reason="enough")
    ada.sees("*** goodbye: boss kicked you: enough")
    assert ada.exit_code() == 1
    assert_left_clean(ada)


def test_prompt_says_lines_typed_while_disconnected(start_server: StartServer, open_prompt: Open) -> None:
    first = start_server()
    ada = open_prompt(first)
    join(ada)
    first.close()
    ada.sees("the room is lost")
    ada.sees("next attempt in")
    ada.type("/where\r")
    ada.sees("not connected, so not sent: /where")
    ada.type("typed meanwhile\r")
    ada.sees("1 line to be said")
    second = start_server("event", "--bind", f"127.0.0.1:{first.address[1]}")
    ada.sees("ada: typed meanwhile")
    said = [event["text"] for event in second.rich("bob").welcome["history"] if event["type"] == "said"]
    assert said == ["typed meanwhile"]


def test_prompt_counts_down_lines_in_slow_mode(start_server: StartServer, open_prompt: Open) -> None:
    server = start_server()
    boss = server.operator()
    boss.command("slow", seconds=3)
    ada = open_prompt(server)
    join(ada)
    ada.type("one\r")
    ada.sees("ada: one")
    ada.type("two\r")
    ada.sees("--- slow mode: 1 line to be said in ")
    ada.type("three\r")
    ada.sees("--- slow mode: 2 lines to be said, the next in")
    ada.sees("ada: two")
    ada.sees("ada: three")
    assert [boss.expect("said")["text"] for _ in range(3)] == ["one", "two", "three"]
    assert "not said" not in ada.text


def test_the_toolbar_of_a_lost_room_fits_into_80_columns(start_server: StartServer) -> None:
    server = start_server()
    address = f"127.0.0.1:{server.address[1]}"
    ada = Emulator([sys.executable, "-m", "tui", "--plain", address, "-n", "ada"], environment=CALM, size=(80, 24))
    try:
        ada.until(lambda: "↻ event   1 connected   you: event loop   " in ada.toolbar, "how the link stands")
        ada.until(lambda: ada.toolbar.endswith(f" ms   {address}"), "and the address")
        server.close()
        ada.sees("the room is lost")
        ada.enter("one")
        ada.enter("two")
        lost = re.compile(r" ○ away: next attempt in \d+ s {2,3}2 lines to be said {2,3}nobody listens there")
        ada.until(lambda: lost.match(ada.toolbar), "the lines that wait")
        assert "event" not in ada.toolbar
    finally:
        ada.close()


def test_a_line_that_does_not_fit_is_refused_before_it_is_sent(start_server: StartServer, open_prompt: Open) -> None:
    server = start_server()
    bob = server.rich("bob")
    ada = open_prompt(server)
    join(ada)
    ada.type(f"{PASTE}{'x' * 5000}{PASTED}\r")
    ada.sees("that is too long: it has 5,000 characters, and 2,000 are allowed")
    ada.type("short\r")
    bob.expect("said", text="short")
    ada.sees("ada: short")
    ada.sees("you: event loop")
    assert "to be said" not in ada.text


def test_the_bell_rings_when_somebody_names_me_and_only_then(start_server: StartServer, open_prompt: Open) -> None:
    server = start_server()
    bob = server.plain("bob")
    bob.say("ada is not here yet")
    ada, quiet = open_prompt(server), open_prompt(server, "--no-bell", nick="cleo")
    join(ada)
    quiet.sees("you are in the room")
    bob.say("hello adamant")
    bob.say("hello ada-lovelace")
    ada.sees("ada-lovelace")
    assert rings(ada) == 0
    bob.say("hello Ada, hello cleo")
    ada.sees("hello Ada")
    quiet.sees("hello Ada")
    assert (rings(ada), rings(quiet)) == (1, 0)


def test_no_color_means_no_colour(start_server: StartServer, open_prompt: Open) -> None:
    server = start_server()
    coloured, plain = open_prompt(server), open_prompt(server, nick="bob", environment={"NO_COLOR": "1"})
    for terminal in (coloured, plain):
        terminal.sees("you are in the room")
        terminal.sees("2 connected")
    server.plain("cleo").say("hello")
    for terminal in (coloured, plain):
        terminal.sees("cleo: hello")
    assert COLOUR.search(coloured.output)
    colours_left = {match[0] for match in COLOUR.finditer(plain.output)} - {"\x1b[39m"}
    assert not colours_left


def test_prompt_host_runs_operator_commands(open_prompt: Open) -> None:
    ada = open_prompt(None, "--host", "--bind", "127.0.0.1:0")
    ada.sees("the room is open: chat-tui 127.0.0.1:")
    join(ada)
    ada.sees("↻ event")
    found = re.search(r"chat-tui 127\.0\.0\.1:(\d+)", ada.text)
    assert found
    bob = PlainPeer(("127.0.0.1", int(found[1])))
    bob.join("bob")
    ada.type("/model thread\r")
    ada.sees("≋ thread")
    bob.expect("*** now a thread each")
    ada.type(f"half a line{CTRL_C}{CTRL_C}")
    ada.sees("Ctrl-C again within 5 seconds ends the room for everybody")
    since = len(ada.text)
    ada.type("/help\r")
    ada.sees("end the room for everybody", since)
    ada.sees("suspend; fg comes back", since)
    ada.type(f"{CTRL_C}{CTRL_C}")
    assert ada.exit_code() == 130
    assert any("goodbye" in line for line in bob.lines_until_closed())
    bob.close()
    assert_left_clean(ada)


# Text of other users


def test_a_hostile_server_prints_nothing_but_text(open_prompt: Open) -> None:
    with hostile.hostile_server(evening=hostile.evening()) as (host, port):
        ada = open_prompt(f"{host}:{port}", "--no-bell")
        ada.sees("the end of the show")
        since = len(ada.text)
        ada.type("still here")
        ada.sees("still here", since)
        ada.type(f"{CTRL_C}{CTRL_C}")
        assert ada.exit_code() == 130
    assert_harmless(ada.output)
    assert_left_clean(ada)


def test_a_hostile_audience_prints_nothing_but_text(start_server: StartServer, open_prompt: Open) -> None:
    server = start_server()
    ada = open_prompt(server, "--no-bell")
    join(ada)
    mallory = server.rich("mallory")
    for text in (*hostile.TEXTS, *(text[:900] for text in hostile.LONG)):
        mallory.say(text)
        mallory.say(text, action=True)
    raw = server.connect()
    raw.send(b"eve\n\xff\xfe\x1b[2J\xc2\x9b2J\n\x1b[2J\x1b]0;owned\x07\n*** bob left\n")
    server.plain("bob").say("the end of the show")
    ada.sees("the end of the show")
    ada.type(CTRL_D)
    assert ada.exit_code() == 0
    assert_harmless(ada.output)
    assert_left_clean(ada)


def test_prompt_shows_no_forged_lines(start_server: StartServer, open_prompt: Open) -> None:
    """Each printed row is the room's, the client's, or begins with the speaker, even if a line is wrapped."""
    server = start_server()
    ada = open_prompt(server)
    join(ada)
    ada.sees("ada joined")
    mallory = server.rich("mallory")
    for filling, text in product(range(60, 80), hostile.PRETENCES):
        mallory.say("x" * filling + f" {text} --- you are gone")
    mallory.say("that was all")
    ada.sees("mallory: that was all")
    after = ada.text[ada.text.index("mallory joined") :]
    rows = [row.replace("❯", "").replace("\x08", "").rstrip("\r") for row in after.split("\n")[1:]]
    told = [row for row in rows if row.strip() and not row.startswith(f" {style_of(Model.EVENT).sign} event")]
    assert len(told) > 200
    assert [row for row in told if not row.startswith(("mallory:", "    "))] == []


@pytest.mark.parametrize("text", [*hostile.CONTROLS, *hostile.BIDI])
def test_the_reading_of_the_bytes_would_notice(text: str) -> None:
    with pytest.raises(AssertionError):
        assert_harmless(f"\x1b[0;1mada\x1b[0m: {text}\x1b[0m\r\r\n")


def test_prompt_prints_a_flood_while_typing(start_server: StartServer, open_prompt: Open) -> None:
    server = start_server()
    bob = server.rich("bob")
    ada = open_prompt(server)
    join(ada)
    bob.send("".join(f'{{"type":"say","id":"","text":"line {number}."}}\n' for number in range(2000)))
    began = time.monotonic()
    ada.type("typed in the flood\r")
    bob.expect("said", text="typed in the flood")
    ada.sees("line 1999.")
    assert time.monotonic() - began < PATIENCE
    assert [int(number) for number in re.findall(r"bob: line (\d+)\.", ada.text)] == list(range(2000))


@pytest.mark.parametrize("options", [[], ["--plain"]])
def test_dumb_terminal_gets_no_control_sequences(start_server: StartServer, options: list[str]) -> None:
    server = start_server()
    bob = server.plain("bob")
    ada = Terminal(f"127.0.0.1:{server.address[1]}", "-n", "ada", *options, environment={"TERM": "dumb"})
    try:
        bob.expect("ada joined")
        bob.say("hello")
        ada.sees("bob: hello")
        ada.type("hi\n")
        bob.expect("ada: hi")
        assert "\x1b" not in ada.output
    finally:
        ada.close()
