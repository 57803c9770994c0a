"""A client that reads too slowly on purpose: the kernel's buffers are full, and the server keeps the rest."""

import json
from pathlib import Path

import pytest

from tests.running import Peer, RichPeer, Server

NEEDS_PROC = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="what the kernel keeps is told by /proc")

MAX_LINES_UNTIL_GONE = 5000
"""20 MB, more than the kernel and the server keep for a connection."""


def slow_peer(server: Server) -> Peer:
    """Joins as `slow`, and reads nothing for now."""
    peer = server.connect(receive_buffer=4096)
    peer.send("slow\n")
    return peer


def fill(server: Server, slow: Peer, talker: RichPeer) -> list[str]:
    """Have `talker` say lines until some of them wait in the server. Gives the lines."""
    lines: list[str] = []
    kept, still_kept = -1, 0
    while still_kept < 2:
        for _ in range(20):
            lines.append(f"{len(lines)} " + "字" * 1200)
            talker.say(lines[-1])
            talker.expect("said", text=lines[-1])
        before, kept = kept, kept_by_the_kernel(server, slow)
        still_kept = still_kept + 1 if kept == before else 0
    return lines


def talk_until_gone(nick: str, talker: RichPeer, *others: RichPeer) -> int:
    """Have `talker` say lines, which the others hear, until all are told that the slow reader has left.
    Gives how many lines it said."""
    checked = len(talker.heard)
    for said in range(1, MAX_LINES_UNTIL_GONE):
        talker.say("字" * 1300)
        for peer in (*others, talker):
            peer.expect("said", nick=talker.welcome["you"])
        news, checked = talker.heard[checked:], len(talker.heard)
        if any(nick in json.loads(line).get("left", ()) for line in news):
            return said
    raise AssertionError(f"{nick} has not left")


def kept_by_the_kernel(server: Server, peer: Peer) -> int:
    """Bytes that the server has written and the peer's side has not taken."""
    ours, theirs = f":{server.address[1]:04X}", f":{peer.socket.getsockname()[1]:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines():
        fields = line.split()
        if fields[1].endswith(ours) and fields[2].endswith(theirs):
            return int(fields[4].split(":")[0], 16)
    raise AssertionError("there is no such connection")


def lines_heard(slow: Peer, last: str) -> list[str]:
    """Read what `talker` said, up to a last line."""
    heard: list[str] = []
    while not heard or heard[-1] != last:
        line = slow.line()
        if line.startswith("talker: "):
            heard.append(line.removeprefix("talker: "))
    return heard
