"""Hostile texts and nicknames, and a server that sends them unchanged."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from protocol.messages import MAX_COUNT, MAX_DURATION_S, MAX_TIME_S
from tests.peers import PATIENCE, readable

CONTROLS = (
    "\x1b[2J\x1b[5n\x1b[6n",  # clear the screen; make the terminal answer into our input
    "\x1b]0;owned\x07\x1b]2;owned\x1b\\",  # a title
    "\x1b]52;c;b3duZWQ=\x07",  # the clipboard
    "\x1b]8;;javascript:owned\x1b\\click\x1b]8;;\x1b\\",  # a link
    "\x1b[38;5;197mred\x1b[0m",
    "\x1b[?1049l\x1b[?25h\x1bc",  # leave the full screen, reset
    "\x1bP+q6f776e6564\x1b\\\x1b_owned\x1b\\\x1b(0",
    "\x9b2J\x9d0;owned\x9c\x90owned\x9c",  # the same as single C1 characters
    "a\x00b\x07c\x08\x08\x08d\x0be\x0cf\x0eg\x7fh\x85i",
    "over\rwritten",
)
BIDI = (
    "\u202eevil\u202c \u2066isolated\u2069 \u200fmark\u061c",
    "zero\u200bwidth\u200d\ufeff\u2060 \U000e0041\U000e0042 tag",
    "line\u2028separator\u2029paragraph",
)
MARKUP = (
    "[/x]",
    "[@click=app.exit]boo[/]",
    "[@click=app.quit()]boo[/] [link=file:///etc/passwd]read[/link]",
    "[red on white]alarm[/] \\[b] [[[ ]]] [/] [$error]x[/]",
    ":smile: [blink]x",
)
PRETENCES = (
    "*** bob left",
    "── the room is closed ──",
    "· everybody left\n· ada left",
    "▌ 20:14 » the room is closed\n ≋ ── now a thread each: 37 carried over in 41 ms ──",
    "hello\n20:15     cleo  I never said this",
)
LONG = (
    "🎉" * 16_000,
    "👨‍👩‍👧‍👦" * 2_000,
    "\n" * 64_000,
    "a" + "\u0301" * 32_000,
    "Z" + "\u0489\u0300\u0316" * 10_000,
    "https://x" + ")" * 30_000,
    "(" * 30_000,
    "𒐫﷽" * 8_000,
    " " * 64_000,
)
TEXTS = (*CONTROLS, *BIDI, *MARKUP, *PRETENCES)
NICKNAMES = (
    *("\x1b[2Jbob", "\x9b31m", "[/x]", "[@click=app.exit]x", "\u202ebob", "***", "*", "·", "≋", "a b", "x\ny"),
    *("", "x" * 10_000, "🎉" * 5_000, "a" + "\u0301" * 20_000, "-", "@ada"),
)


def lines(event: dict[str, object]) -> bytes:
    """An event as one line. Characters that UTF-8 cannot encode are escaped."""
    return json.dumps(event).encode() + b"\n"


def evening() -> Iterator[dict[str, object]]:
    """All events of a server, with each hostile string in each field that has text of others."""
    strings = (*TEXTS, *LONG)
    history = [
        {"type": "said", "seq": n + 1, "nick": nick, "text": "hi", "at": 0.0} for n, nick in enumerate(NICKNAMES)
    ]
    seq = len(history)
    welcome = {"you": "ada", "token": "t", "seq": seq, "model": "event", "connections": 1, "served_by": CONTROLS[0]}
    yield {"type": "welcome", **welcome, "limits": {}, "nonce": "n", "history": history, "motd": "".join(TEXTS)}
    yield {"type": "people", "seq": seq, "people": [*NICKNAMES, "ada"]}
    for text in strings:
        nick = NICKNAMES[seq % len(NICKNAMES)]
        yield from _turn(text, nick, seq)
        seq += 5
    yield {"type": "status", "model": "event", "connections": 2, "served_by": "event loop"}
    yield {"type": "said", "seq": seq + 1, "nick": "bob", "text": "the end of the show", "at": 2e9}


def _turn(text: str, nick: str, seq: int) -> list[dict[str, object]]:
    moves = {"joined": [text], "left": [nick], "renamed": [[text, nick]]}
    return [
        {"type": "said", "seq": seq + 1, "nick": nick, "text": f"@ada {text}", "at": MAX_TIME_S},
        {"type": "said", "seq": seq + 2, "nick": "mallory", "text": text, "at": 0.0, "action": True},
        {"type": "notice", "seq": seq + 3, "text": text, "at": float(seq)},
        {"type": "presence", "seq": seq + 4, "at": 0.0, **moves},
        {
            "type": "switched",
            "seq": seq + 5,
            "at": 0.0,
            "model": text,
            "before": text,
            "pause": MAX_DURATION_S,
            "carried": 1,
        },
        {"type": "refused", "code": "x", "reason": text, "suggestion": nick},
        {"type": "refused", "code": text, "reason": text, "id": text},
        {"type": "status", "model": text, "connections": 10**15, "served_by": text, "memory": MAX_COUNT},
    ]


@contextmanager
def hostile_server(*, evening: Iterator[dict[str, object]]) -> Iterator[tuple[str, int]]:
    """A server without a room: it waits for the hello, says all that is in `evening`, then its last line over and
    over: a refusal is shown after the batch it came in, and may push what came with it off the screen."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        told = list(evening)

        def serve() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"".join(map(lines, told)))
                    while not _left_within(connection, seconds=0.3):
                        if told[-1]["type"] == "said":
                            told[-1]["seq"] = cast(int, told[-1]["seq"]) + 1
                            connection.sendall(lines(told[-1]))
            except OSError:
                return  # The test is over.

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[:2]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


def _left_within(connection: socket.socket, *, seconds: float) -> bool:
    """Whether the client closes the connection in this time. Its lines are read and ignored."""
    return readable(connection, seconds) and not connection.recv(4096)
