"""A server that floods its clients with all kinds of events, as fast as they read."""

import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from protocol.messages import MAX_COUNT
from tests.tui.hostile import CONTROLS, NICKNAMES, lines

LINES_PER_BLOCK = 500
WELCOME: dict[str, object] = {
    "type": "welcome", "you": "ada", "token": "t", "seq": 0, "model": "event", "connections": 1,
    "served_by": "event loop", "limits": {}, "nonce": "n",
}  # fmt: skip

MakeBlock = Callable[[int], bytes]
"""Makes the bytes that follow the event with this number; each block brings LINES_PER_BLOCK numbers."""


def _each(make: Callable[[int], dict[str, object]]) -> MakeBlock:
    return lambda seq: b"".join(lines(make(number)) for number in range(seq + 1, seq + 1 + LINES_PER_BLOCK))


def _said(text: str) -> MakeBlock:
    return _each(lambda seq: {"type": "said", "seq": seq, "nick": f"bob{seq % 90}", "text": text, "at": 1e9})


def _presence(seq: int) -> dict[str, object]:
    joined = [f"guest{seq}-{number}" for number in range(50)]
    return {"type": "presence", "seq": seq, "at": 0.0, "joined": joined, "left": [f"guest{seq - 9}-1"]}


def _renames(seq: int) -> dict[str, object]:
    old, new = ("ada", "ada2") if seq % 2 else ("ada2", "ada")
    return {"type": "presence", "seq": seq, "at": 0.0, "renamed": [[old, new]]}


def _meter(seq: int) -> dict[str, object]:
    figures = dict.fromkeys(("connections", "people", "processes", "threads", "memory", "memory_each"), MAX_COUNT)
    rates = {"lines": 1e12, "deliveries": 1e12, "p50": 1.0, "p99": 2.0, "cpu": 9.0}
    return {"type": "meter", "at": 0.0, "model": f"model{seq}", **figures, **rates, "tally": {}}


def _big_welcome(seq: int) -> bytes:
    history = [
        {"type": "said", "seq": number, "nick": "bob", "text": "x" * 100, "at": 0.0} for number in range(1, 20_000)
    ]
    return lines({**WELCOME, "seq": 20_000, "token": f"t{seq}", "history": history})


FLOODS: dict[str, MakeBlock] = {
    "lines": _said("what is this good for?"),
    "mentions": _said("@ada look at https://example.com/ and at this\n" * 8),
    "long lines": _said("🎉wide " * 250),
    "control sequences": _said("".join(CONTROLS)),
    "presence": _each(_presence),
    "renames": _each(_renames),
    "meter": _each(_meter),
    "switches": _each(
        lambda seq: {"type": "switched", "seq": seq, "at": 0.0, "model": f"m{seq}", "before": "x", "pause": 1.0,
                     "carried": 9}
    ),
    "rules": _each(
        lambda seq: {"type": "rules", "seq": seq, "at": 0.0, "text": "new rules", "rules": {"pin": f"{seq}" * 30}}
    ),
    "own words": _each(lambda seq: {"type": "notice", "text": f"only for you {seq}"}),
    "refusals": _each(lambda seq: {"type": "refused", "code": f"x{seq}", "reason": "no" * 90, "suggestion": "bob"}),
    "nickname taken": _each(
        lambda seq: {"type": "refused", "code": "nickname-taken", "reason": "taken", "suggestion": f"ada{seq}"}
    ),
    "statuses": _each(
        lambda seq: {"type": "status", "model": f"m{seq}", "connections": seq, "served_by": f"loop {seq}"}
    ),
    "rosters": lambda seq: lines({"type": "people", "seq": seq, "people": [f"p{n}" for n in range(20_000)]}),
    "grants": _each(lambda seq: {"type": "operator", "on": bool(seq % 2)}),
    "challenges": _each(lambda seq: {"type": "challenge", "nonce": f"n{seq}", "code": "locked", "reason": "no"}),
    "pongs": _each(lambda seq: {"type": "pong", "id": f"p{seq}"}),
    "welcomes": _each(lambda seq: {**WELCOME, "seq": seq, "token": f"t{seq}", "you": f"ada{seq}"}),
    "big welcomes": _big_welcome,
    "gaps": _each(lambda seq: {"type": "said", "seq": 3 * seq, "nick": "bob", "text": "x", "at": 0.0}),
    "garbage": lambda seq: random.Random(seq).randbytes(1 << 18),
    "empty lines": lambda seq: b"\n" * (1 << 18),
    "a line without an end": lambda seq: b"x" * (1 << 18),
    "a string without an end": lambda seq: b'{"type":"said","text":"' * (seq == 0) + b"x" * (1 << 18),
    "nested": lambda seq: (b"[" * 5000 + b"]" * 5000 + b"\n") * 20,
    "hostile nicknames": _each(
        lambda seq: {"type": "said", "seq": seq, "nick": NICKNAMES[seq % len(NICKNAMES)][:2000], "text": "x", "at": 0.0}
    ),
}  # fmt: skip


class FloodingServer:
    """Accepts each client, and floods it until it leaves or the test ends."""

    def __init__(self, make_block: MakeBlock, *, welcomes: bool = True) -> None:
        """Without `welcomes` the flood answers the hello."""
        self._make_block = make_block
        self._welcomes = welcomes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent = 0
        """Bytes sent to all clients together."""
        self.connections = 0
        self._is_over = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._is_over = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._threads.append(threading.Thread(target=self._flood, args=(connection,), daemon=True))
                self._threads[-1].start()

    def _flood(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError):  # It left before its hello.
            connection.settimeout(0.5)
            hello = json.loads(connection.recv(65536).split(b"\n")[0])
            if self._welcomes:
                connection.sendall(lines({**WELCOME, "you": hello["nick"]}))
            seq = 0
            while not self._is_over:
                self._send(connection, self._make_block(seq))
                seq += LINES_PER_BLOCK

    def _send(self, connection: socket.socket, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._is_over:
            with suppress(TimeoutError):
                sent = connection.send(view)
                self.sent += sent
                view = view[sent:]


@contextmanager
def flooding_server(flood: str, *, welcomes: bool = True) -> Iterator[FloodingServer]:
    """A server with one of FLOODS."""
    server = FloodingServer(FLOODS[flood], welcomes=welcomes)
    try:
        yield server
    finally:
        server.close()
