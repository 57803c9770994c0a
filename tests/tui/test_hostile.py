"""Text of others reaches the terminal only as harmless text: the tests read the real client's bytes."""

import re
import time
import unicodedata
from collections.abc import Callable, Iterator

import pytest

from tests.pace import is_within
from tests.running import Closed, PlainPeer, Server
from tests.tui import hostile
from tests.tui.conftest import StartServer
from tests.tui.pseudo_terminal import SEQUENCE, Terminal

OURS = re.compile(
    r"\x1b\[(?:"
    r"(?:0|1|2|3|4|7|22|23|24|27|[34]9|[34]8;2;\d+;\d+;\d+)(?:;(?:0|1|2|3|4|7|9|22|23|24|27|[34]9|[34]8;2;\d+;\d+;\d+))*m"
    r"|m|\d+;\d+H|\?(?:1000|1003|1004|1006|1015|1016|1049|2004|2026|2048|25|7)[hl]"
    r"|\?20(?:26|48)\$p|>\d+u|<u"
    r")"
    r"|\x1b\]22;[a-z-]*\x07"
)
"""The sequences that Textual and we write: colour, cursor, modes, the mouse pointer's shape. Palette colours (38;5) and
everything else can only come from a stranger."""
Open = Callable[..., Terminal]


@pytest.fixture
def open_terminal() -> Iterator[Open]:
    opened: list[Terminal] = []

    def open_terminal(*arguments: str) -> Terminal:
        opened.append(Terminal(*arguments))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


def assert_harmless(output: str) -> None:
    """The output has only our own control sequences, and nothing that hides text or turns its direction."""
    for sequence in SEQUENCE.finditer(output):
        assert OURS.fullmatch(sequence[0]), f"a stranger's sequence: {sequence[0]!r}"
    drawn = SEQUENCE.sub("", output).replace("\r\n", "").replace("\x07", "")
    bad = {char for char in set(drawn) if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")}
    bad |= {char for char in set(drawn) if unicodedata.category(char) == "Cf"}
    assert not bad, f"characters that do something: {bad!r}"
    assert not re.search(r"[\u0300-\u036f\u0483-\u0489]{4}", drawn), "a tower of combining marks"


def alive_and_leaves(terminal: Terminal) -> None:
    """Typing is echoed soon, and Ctrl-Q leaves cleanly."""
    since = len(terminal.text)
    began = time.monotonic()
    terminal.type("still here")
    terminal.sees("e", since)
    assert is_within(time.monotonic() - began, 3)
    terminal.type("\x11")
    assert terminal.exit_code() == 0
    terminal.assert_left_clean()


def test_a_hostile_server_draws_nothing_but_text(open_terminal: Open) -> None:
    with hostile.hostile_server(evening=hostile.evening()) as (host, port):
        terminal = open_terminal(f"{host}:{port}", "-n", "ada")
        terminal.sees("the end of the show")
        terminal.sees("event loop")
        terminal.type("\x1b[5;5~")  # a page up, to draw what has scrolled away
        for _ in range(30):
            terminal.type("\x1b[5~")
            time.sleep(0.05)
        terminal.type("\x1bOR")  # F3: the people
        time.sleep(0.2)
        terminal.type("\x1bOR")
        alive_and_leaves(terminal)
        assert_harmless(terminal.output)


@pytest.mark.parametrize("place", ["prompt", "kick"])
def test_a_hostile_goodbye_or_refusal_is_text_too(open_terminal: Open, place: str) -> None:
    words = "".join(hostile.TEXTS)
    told: list[dict[str, object]] = [
        {"type": "refused", "code": "nickname-taken", "reason": words, "suggestion": "x\x1b[2J" + words}
    ]
    if place == "kick":
        told = [next(hostile.evening()), {"type": "goodbye", "code": "kicked", "reason": words}]
    with hostile.hostile_server(evening=iter(told)) as (host, port):
        terminal = open_terminal(f"{host}:{port}", "-n", "ada")
        terminal.sees("boo")
        terminal.type("\x11")
        assert terminal.exit_code() in (0, 69)
        terminal.assert_left_clean()
        assert_harmless(terminal.output)


def test_hostile_audience_in_a_room_draws_only_text(open_terminal: Open, start_server: StartServer) -> None:
    server = start_server("event", "--rate-limit", "off")
    terminal = open_terminal(f"{server.address[0]}:{server.address[1]}", "-n", "ada")
    terminal.sees("1 here")
    mallory = server.rich("mallory")
    for text in (*hostile.TEXTS, *(text[:38] for text in hostile.LONG), *(text[:900] for text in hostile.LONG)):
        mallory.say(text)
        mallory.say(text, action=True)
    mallory.sync()
    for number, text in enumerate(hostile.LONG):
        server.rich(f"trudy{number}").say(text)
    for nick in hostile.NICKNAMES:
        _tries_to_join_as(server, nick)
    raw = server.connect()
    raw.send(b"eve\n\xff\xfe\x1b[2J\xc2\x9b2J\n\x1b[2J\x1b]0;owned\x07\n*** bob left\n")
    server.plain("bob").say("the end of the show")
    terminal.sees("the end of the show")
    terminal.type("\x1b[1;5H")  # Ctrl+Home
    for _ in range(12):
        terminal.type("\x1b[6~")
        time.sleep(0.05)
    alive_and_leaves(terminal)
    assert_harmless(terminal.output)


def _tries_to_join_as(server: Server, nick: str) -> None:
    peer = PlainPeer(server.address)
    try:
        peer.send(nick.encode("utf-8", "surrogatepass") + b"\nhello\n")
        peer.line()
    except Closed:
        pass
    finally:
        peer.close()


@pytest.mark.parametrize("text", hostile.PRETENCES)
def test_nobody_can_pass_for_the_room_or_for_another(open_terminal: Open, start_server: StartServer, text: str) -> None:
    """Each row of a member's text begins in the text column, in which notices and nicknames never begin."""
    server = start_server()
    mallory = server.rich("mallory")
    terminal = open_terminal(f"{server.address[0]}:{server.address[1]}", "-n", "ada")
    terminal.sees("2 here")
    mallory.say(text)
    terminal.sees("mallory  " + text.split("\n")[0])
    for row in text.split("\n")[1:]:
        drawn = terminal.text
        assert re.search(r" {8,}" + re.escape(row), drawn), f"{row!r} begins too far to the left"


@pytest.mark.parametrize("text", [*hostile.CONTROLS, *hostile.BIDI])
def test_the_reading_of_the_bytes_would_notice(text: str) -> None:
    with pytest.raises(AssertionError):
        assert_harmless(f"\x1b[1;38;2;1;2;3mada  {text}\x1b[0m")
