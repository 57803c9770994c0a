"""A speaker that is gone leaves the room soon, although nothing is said to it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.messages import Model
from tests.running import PlainPeer, Server

StartServer = Callable[..., Server]
LINES = "more\n" * 500
UNSHARE = ("unshare", "--net")

# In a network namespace of its own: the dropped packets harm no other test, and the rule ends with the process.
VANISHED = """
import subprocess, sys
from pathlib import Path
from tests import running

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
server = running.start(sys.argv[1], Path(sys.argv[2]), sabotage="asks_silent_peers_at_once")
try:
    other, silent, addressed = server.plain("other"), server.plain("silent"), server.plain("addressed")
    other.expect("addressed joined")
    for peer in (silent, addressed):
        for direction in (["INPUT", "--dport"], ["OUTPUT", "--sport"]):
            chain, port = direction
            rule = ["-p", "tcp", port, str(peer.socket.getsockname()[1]), "-j", "DROP"]
            subprocess.run(["iptables", "-A", chain, *rule], check=True)
    if sys.argv[3] == "talk":
        other.say("who hears me?")
    gone = ""
    while not ("silent" in gone and "addressed" in gone):
        gone += other.expect(" left")[-1]
    print(gone.replace(",", " "))
finally:
    server.close()
"""


def test_closed_flood_in_a_silent_room_ends_in_each_model(start_server: StartServer) -> None:
    """The peer has read all, so that its end looks like that of one that goes on listening; only what it is sent tells
    the two apart."""
    rooms: list[tuple[PlainPeer, PlainPeer]] = []
    for model in Model:
        server = start_server(model, "--rate-limit", "3/1")
        rooms.append((server.plain("other"), server.plain("spam")))
        rooms[-1][1].send(LINES)
    for other, spam in rooms:
        spam.expect("you are fast")
        other.expect("spam: more")
        spam.close()
    for other, _ in rooms:
        other.expect("spam left")


def test_half_closed_peer_still_says_its_lines(start_server: StartServer) -> None:
    server = start_server("event", "--rate-limit", "3/10")
    other, peer = server.plain("other"), server.plain("peer")
    peer.send("".join(f"line {number}\n" for number in range(20)))
    peer.half_close()
    other.expect("peer: line 19")
    other.expect("peer left")


@pytest.mark.needs("unshare", "ip", "iptables")
@pytest.mark.parametrize(
    ("model", "room"),
    [(Model.PROCESS, "silent"), (Model.THREAD, "silent"), (Model.EVENT, "silent"), (Model.EVENT, "talk")],
)
def test_vanished_peer_leaves_the_room(model: Model, room: str, tmp_path: Path) -> None:
    """Its machine answers nothing any more: in a silent room TCP asks, in another the output stays unacknowledged."""
    if subprocess.run([*UNSHARE, "iptables", "-L"], capture_output=True).returncode:
        pytest.skip("this user cannot make a network namespace with iptables in it")
    command = [*UNSHARE, sys.executable, "-c", VANISHED, model, str(tmp_path), room]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.count(" left") >= 1, done.stderr
    assert {"silent", "addressed"} <= set(done.stdout.split()), done.stdout
