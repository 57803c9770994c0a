"""Tests of the resources of a room: their amount, their release, and their exhaustion."""

import json
import resource
import threading
import time
from contextlib import suppress

import psutil
import pytest

from tests.running import PATIENCE, Closed, Facts, Peer, RichPeer, Server, wait_until
from tests.server.limits import SETS_LIMITS, highest_descriptor, limited, ordinary_user
from tests.server.slow import NEEDS_PROC, fill, slow_peer


def test_thousand_short_connections_leave_nothing_behind(start) -> None:
    server: Server = start()
    watcher = server.rich("watcher")
    wait_until(lambda: watcher.status()["connections"] == 1, "the watcher is served")
    before = server.facts()
    come_and_go(server, 500)  # Memory that is loaded once and kept is no leak.
    memory = when_all_have_gone(server, before).memory
    come_and_go(server, 1000)
    # The C library keeps the stacks of ended threads for later ones.
    kept = 20 if server.model == "thread" else 3
    assert when_all_have_gone(server, before).memory - memory < kept * 2**20
    assert watcher.status()["connections"] == 1
    watcher.say("still here", id="1")
    watcher.expect("said", id="1")


def when_all_have_gone(server: Server, before: Facts) -> Facts:
    """The memory of the server, as soon as it has no more descriptors, threads and processes than before."""
    wait_until(lambda: server.facts()[:3] == before[:3], f"fds, threads and children as before: {before}", patience=40)
    return server.facts()


def come_and_go(server: Server, times: int) -> None:
    """Some connections close at once, as in a port scan, and some after a line or two."""

    def some(words: bytes, count: int) -> None:
        for number in range(count):
            peer = Peer(server.address)
            if number % 50 == 49:  # The listen queue is limited: wait until earlier connections have been accepted.
                peer.send("\n")
                peer.line()
            with suppress(ConnectionError):
                peer.send(words)
            peer.close()

    ways = [b"", b"x", b"*\n", b"GET / HTTP/1.1\r\n\r\n", b"ada\nhello\n"]
    threads = [threading.Thread(target=some, args=(words, times // len(ways))) for words in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_connection_takes_the_resources_that_the_talk_names(start) -> None:
    server: Server = start()
    watcher = server.rich("watcher")
    peers = [server.rich(f"p{number}") for number in range(60)]
    wait_until(lambda: watcher.status()["connections"] == 61, "all are here")
    tell = watcher.status()
    assert tell["model"] == server.model
    if server.model == "process":
        assert tell["processes"] >= 61
        assert 100 * 1024 < tell["memory_each"] < 1500 * 1024
    elif server.model == "thread":
        assert tell["processes"] == 1
        assert tell["threads"] >= 61
        assert 4 * 1024 < tell["memory_each"] < 100 * 1024
    else:
        assert tell["processes"] == 1
        assert tell["threads"] < 5
        assert tell["memory_each"] < 20 * 1024
    real = server.facts()
    assert tell["threads"] == real.threads
    assert tell["processes"] == real.children + 1
    assert 0.5 < tell["memory"] / real.memory < 2
    for peer in peers:
        peer.sync()


@NEEDS_PROC
def test_waiting_connections_use_no_processor(start) -> None:
    """A connection that waits for its peer, its rate limit or its goodbye causes no busy loop."""
    server: Server = start("--rate-limit", "10/2")
    server.rich("idle")
    server.connect()
    flooder, parting, quitter = server.plain("flooder"), server.plain("parting"), server.rich("quitter")
    flooder.send("x\n" * 1000)
    parting.send("x\n" * 50)
    parting.half_close()
    quitter.command("quit")
    stranger = server.connect()
    stranger.send("half a nickname")
    stranger.half_close()
    assert cores_in_use(server, seconds=1.0) < 0.2

    server = start()
    slow, talker = [slow_peer(server) for _ in range(3)], server.rich("talker")
    talker.sees("slow", "slow2", "slow3")
    fill(server, slow[-1], talker)
    slow[0].half_close()
    slow[1].reset()
    assert cores_in_use(server, seconds=0.5) < 0.2


def cores_in_use(server: Server, seconds: float) -> float:
    """The processor seconds of the server in each second of a short period."""
    before: dict[psutil.Process, float] = {}
    for process in (server.process, *server.children()):
        with suppress(psutil.NoSuchProcess):
            before[process] = sum(process.cpu_times()[:2])
    time.sleep(seconds)
    used = 0.0
    for process, earlier in before.items():
        with suppress(psutil.NoSuchProcess):
            used += sum(process.cpu_times()[:2]) - earlier
    return used / seconds


def test_hundred_joins_cost_each_member_a_few_events(start) -> None:
    server: Server = start()
    watcher = server.rich("watcher")
    watcher.sync()
    heard_before = len(watcher.heard)
    began = time.monotonic()
    for number in range(100):
        server.rich(f"p{number}")
    watcher.sees(*(f"p{number}" for number in range(100)))
    took = time.monotonic() - began
    events = [json.loads(line) for line in watcher.heard[heard_before:]]
    presence = [event for event in events if event["type"] == "presence"]
    assert len(presence) <= 4 * took + 2
    assert sorted(nick for event in presence for nick in event.get("joined", ())) == sorted(
        [f"p{number}" for number in range(100)] + ["watcher"] * ("watcher" in str(presence))
    )
    assert len([event for event in events if event["type"] == "status"]) <= 4 * took + 2


def test_status_follows_changes_at_most_four_times_a_second(start) -> None:
    server: Server = start()
    watcher = server.rich("watcher")
    watcher.expect("status", connections=1)
    for expected in (2, 3):
        server.connect().send(b"x")
        assert watcher.expect("status")["connections"] == expected
    came: list[str] = []
    began = time.monotonic()
    while len(came) < 4:
        visitor = server.connect()  # If it closed at once, it would be gone before it is counted.
        visitor.send(b"x")
        with suppress(TimeoutError):
            if json.loads(watcher.line(0.02))["type"] == "status":
                came.append(watcher.heard[-1])
        visitor.close()
        assert time.monotonic() - began < PATIENCE
    assert time.monotonic() - began > (len(came) - 2) / 4
    watcher.expect("status", connections=3)
    wait_until(lambda: watcher.hears_nothing(0.4), "no more is told")


# Exhausted resources


def newcomers_are_refused(server: Server, here: list[RichPeer], words: str, tries: int = 5) -> None:
    """Each new connection is refused at once with a reason, and the present members go on."""
    for number in range(tries):
        newcomer = server.connect()
        lines = newcomer.lines_until_closed()
        assert len(lines) == 1
        assert lines[0].startswith("*** goodbye: the room is full: ")
        assert words in lines[0]
        here[0].say(f"still here {number}")
        for peer in here:
            peer.expect("said", text=f"still here {number}")


@SETS_LIMITS
def test_without_descriptors_a_new_connection_gets_the_reason(start) -> None:
    server: Server = start("-v")
    here = [server.rich(f"p{number}") for number in range(5)]
    here[0].sees(*(f"p{number}" for number in range(5)))
    before = server.facts()
    with limited(server, "nofile", highest_descriptor(server) + 1):
        newcomers_are_refused(server, here, "")
        here[0].status()  # The measurement of resources needs descriptors as well.
        here.pop().close()
        wait_until(lambda: len(here[0].people()) == 4, "one has left")
        here[0].sync()
    assert server.rich("newcomer").welcome["you"] == "newcomer"
    here.append(server.rich("p4"))
    here[0].sync()
    assert server.facts().children <= before.children + 1


@SETS_LIMITS
@pytest.mark.parametrize("model", ["process", "thread"])
def test_without_process_or_thread_a_connection_gets_the_reason(start_server, model: str) -> None:
    user = ordinary_user()
    server: Server = start_server(model, prefix=user)
    here = [server.rich(f"p{number}") for number in range(3)]
    here[0].sees("p0", "p1", "p2")
    with limited(server, "nproc", 1, user):
        newcomers_are_refused(server, here, "the server has too little left")
    assert server.rich("newcomer").welcome["you"] == "newcomer"
    wait_until(lambda: here[0].status()["connections"] == 4, "those who were refused do not count")


def test_more_than_max_clients_are_told_and_refused(start) -> None:
    server: Server = start("--max-clients", "3")
    here = [server.rich(f"p{number}") for number in range(3)]
    newcomers_are_refused(server, here, "it takes 3 connections")
    here.pop().close()
    wait_until(lambda: can_join(server), "there is room again")


def test_more_than_max_per_ip_are_told_and_refused(start) -> None:
    server: Server = start("--max-per-ip", "2")
    here = [server.plain("a"), server.plain("b")]
    newcomer = server.connect()
    assert "from your address" in newcomer.lines_until_closed()[0]
    here[0].close()
    wait_until(lambda: can_join(server), "there is room again")


def can_join(server: Server) -> bool:
    peer = server.connect()
    with suppress(Closed, ConnectionError):
        peer.send("somebody\n")
        return peer.line() == "Connected to chat server"
    return False


def test_file_descriptors_above_1024_are_nothing_special(start) -> None:
    server: Server = start()
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 8000:
        pytest.skip("there are too few descriptors on this machine")
    count = 1100 if server.model != "process" else 400  # Three each in the process model's master.
    peers = [server.connect() for _ in range(count)]
    for number, peer in enumerate(peers):
        peer.send(f"p{number}\n")
    for peer in peers:
        wait_for_line(peer, "Connected to chat server")  # The first ones may have been greeted before it.
    peers[-1].send("hello from far up\n")
    wait_for_line(peers[0], f"p{count - 1}: hello from far up")
    peers[0].send("hello from down here\n")
    wait_for_line(peers[-1], "p0: hello from down here")
    assert server.facts().fds > 1024


def wait_for_line(peer: Peer, wanted: str) -> None:
    while peer.line() != wanted:
        pass
