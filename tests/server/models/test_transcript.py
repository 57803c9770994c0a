"""Tests that the same script of inputs gives the same transcript under all three models.

The expected transcript of the script below is in transcript.txt; each model must produce exactly that. The test
normalises values that may differ: times, tokens, nonces and `served_by`. It leaves out `status` events, which come at
any time.
"""

import json
import re
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.running import Closed, Peer, PlainPeer, RichPeer, Server

EXPECTED = Path(__file__).with_name("transcript.txt")
ANYTHING = {"token": "TOKEN", "nonce": "NONCE", "at": 0, "served_by": "SERVED_BY", "model": "MODEL"}
TOKEN = re.compile(r"(?<=token\": \")[\w-]{22}")
LONG = re.compile(r"(x|x\\\\n){40,}")
STATUS_NUMBERS = re.compile(r"model \w+, (\d+) connected, you: [^;]+; .*")


class Script:
    """Plays all clients, and records the lines that each of them sends and gets, until a step is complete."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.here: dict[str, Peer] = {}
        self.lines: list[str] = []

    def enters(self, name: str, rich: bool, first: str) -> None:
        """Connect a client, and join with the first line."""
        self.here[name] = self.server.rich_stranger() if rich else PlainPeer(self.server.address)
        self.sends(name, first, changes_presence=True)

    def sends(self, name: str, what: str | bytes, changes_presence: bool = False) -> None:
        """`changes_presence` means that the others are told of a join, a departure or a rename."""
        data = what.encode() if isinstance(what, str) else what
        self.lines.append(f"{name:6} > {LONG.sub(shortened, TOKEN.sub('TOKEN', str(data)[2:-1]))}")
        watcher = self.here["watch"]
        assert isinstance(watcher, RichPeer)
        self.here[name].send(data + b"\n")
        if changes_presence:
            self.write("watch", self.hear("watch", until=lambda line: '"type":"presence"' in line))
        for other in sorted(self.here, key=lambda other: other != name):
            self.hear_all(other)

    def hear_all(self, name: str) -> None:
        """All events up to now: the answer to a question comes after them."""
        peer = self.here[name]
        try:
            if isinstance(peer, RichPeer):
                peer.send('{"type":"ping","id":"sync"}\n')
                self.hear(name, until=lambda line: '"sync"' in line or '"not-joined"' in line)
            else:
                peer.send("/nick\n")
                self.hear(name, until=lambda line: "/nick takes a word" in line or "begins with a letter" in line)
        except (Closed, ConnectionError):
            self.lines.append(f"{name:6} | closed")
            peer.close()
            del self.here[name]

    def hear(self, name: str, until: Callable[[str], bool]) -> str:
        peer = self.here[name]
        while True:
            line = peer.line()
            if until(line):
                return line
            self.write(name, line)

    def write(self, name: str, line: str) -> None:
        if not line.startswith("{"):
            line = STATUS_NUMBERS.sub(r"model MODEL, \1 connected, you: SERVED_BY", line)
            self.lines.append(f"{name:6} < {line}")
            return
        event = json.loads(line)
        if event["type"] != "status":
            self.lines.append(f"{name:6} < {json.dumps(normal(event), ensure_ascii=False)}")

    def vanishes(self, name: str) -> None:
        """Break a connection."""
        self.lines.append(f"{name:6} | its connection breaks")
        self.here.pop(name).reset()
        self.write("watch", self.hear("watch", until=lambda line: '"type":"presence"' in line))
        for other in self.here:
            self.hear_all(other)


def shortened(found: re.Match[str]) -> str:
    return f"({found[1]} and so on, {len(found[0])} characters)"


def normal(value: object) -> object:
    if isinstance(value, dict):
        return {name: ANYTHING.get(name, normal(item)) for name, item in value.items()}
    if isinstance(value, list):
        return [normal(item) for item in value]
    return value


def play(script: Script) -> None:
    script.here["watch"] = script.server.rich("watch")
    script.hear("watch", until=lambda line: '"type":"presence"' in line)
    script.enters("ada", False, "ada")
    script.enters("bob", True, '{"type":"hello","nick":"bob"}')
    # Lines
    script.sends("ada", "hello, is this thing on?")
    script.sends("bob", '{"type":"say","id":"b1","text":"loud and clear"}')
    script.sends("bob", '{"type":"say","id":"b1","text":"loud and clear"}')
    script.sends("bob", '{"type":"say","id":"b2","text":"two\\nlines"}')
    script.sends("bob", '{"type":"say","id":"b3","text":"waves","action":true}')
    script.sends("ada", "/me waves back")
    script.sends("ada", "//help is a command")
    script.sends("ada", "*** bob left")
    script.sends("ada", "a\rb\0c\x1b[2Jd\x9be\x7ff\u2028g\u0085h\u202ei\u200bj")
    script.sends("ada", "   ")
    # Questions
    script.sends("ada", "/who")
    script.sends("bob", '{"type":"who"}')
    script.sends("ada", "/status")
    script.sends("ada", "/help")
    script.sends("bob", '{"type":"ping","id":"p"}')
    # Nicknames
    script.sends("ada", "/nick bob")
    script.sends("ada", "/nick B\u043eB")
    script.sends("ada", "/nick two words")
    script.sends("ada", "/nick eve", changes_presence=True)
    script.sends("bob", '{"type":"rename","nick":"EVE"}')
    script.sends("bob", '{"type":"rename","nick":"***"}')
    script.sends("bob", '{"type":"rename","nick":"bobby"}', changes_presence=True)
    script.enters("second", False, "Eve")
    script.here["third"] = script.server.rich_stranger()
    script.sends("third", '{"type":"hello","nick":"eve"}')
    script.sends("third", '{"type":"hello","nick":"***"}')
    script.sends(
        "third", '{"type":"hello","nick":"cleo","resume":{"token":"made up","after":3}}', changes_presence=True
    )
    # Refusals
    script.sends("ada", b"caf\xe9")
    script.sends("bob", b'{"type":"say","id":"c","text":"caf\xe9"}')
    script.sends("bob", '{"type":"say","id":"c","text":""}')
    script.sends("bob", json.dumps({"type": "say", "id": "c", "text": "x" * 2001}))
    script.sends("bob", json.dumps({"type": "say", "id": "c", "text": "x\n" * 41 + "x"}))
    script.sends("bob", "x" * 5000)
    script.sends("ada", "x" * 5000)
    script.sends("ada", "x" * 2001)
    script.sends("ada", "/fly")
    script.sends("ada", "/me")
    script.sends("ada", "/model event")
    script.sends("bob", '{"type":"fly"}')
    script.sends("bob", '{"type":"say","id":1}')
    script.sends("bob", "no json")
    script.sends("bob", '{"type":"hello","nick":"again"}')
    script.sends("bob", '{"type":"operator","proof":"wrong"}')
    script.sends("bob", '{"type":"switch","model":"event"}')
    # Coming back
    token = next(json.loads(line)["token"] for line in script.here["bob"].heard if '"welcome"' in line)
    script.vanishes("bob")
    script.sends("ada", "did bob leave?")
    script.enters("bob", True, json.dumps({"type": "hello", "nick": "x", "resume": {"token": token, "after": 15}}))
    # Leaving
    script.sends("second", "/quit", changes_presence=True)
    script.sends("third", '{"type":"quit"}', changes_presence=True)


def test_the_same_script_gives_the_same_transcript(start, tmp_path: Path) -> None:
    script = Script(start())
    play(script)
    got = tmp_path / "transcript.txt"
    got.write_text("\n".join(script.lines) + "\n")
    if got.read_text() != EXPECTED.read_text():
        difference = unified_diff(EXPECTED.read_text().splitlines(), got.read_text().splitlines(), lineterm="")
        pytest.fail("\n".join([*difference, f"If the change is meant: cp {got} {EXPECTED}"]))
