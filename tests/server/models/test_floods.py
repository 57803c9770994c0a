"""Tests of clients that send too fast, read too slowly or send nothing: the other members must not notice."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest

from tests.pace import allowed, is_within
from tests.running import PATIENCE, Closed, Peer, RichPeer, Server, wait_until
from tests.server.slow import NEEDS_PROC, fill, lines_heard, slow_peer, talk_until_gone

NOTICEABLE_S = 0.5
"""Seconds that a line of another member may take meanwhile. The disturbances take much longer."""


@contextmanager
def promptly_served(server: Server) -> Iterator[list[float]]:
    """Two other members talk meanwhile, and each of their lines must arrive promptly. Yields its seconds."""
    speaker, listener = server.rich("speaker"), server.plain("listener")
    took: list[float] = []
    done = threading.Event()
    failed: list[BaseException] = []

    def talk() -> None:
        try:
            for number in count():
                began = time.monotonic()
                speaker.say(f"word {number}", id=f"{number}")
                while listener.line() != f"speaker: word {number}":
                    pass
                took.append(time.monotonic() - began)
                speaker.expect("said", id=f"{number}")
                if done.wait(0.05):
                    return
        except BaseException as error:  # noqa: BLE001 (raised again below, in the thread of the test)
            failed.append(error)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield took
    finally:
        done.set()
        thread.join()
    if failed:
        raise failed[0]
    assert is_within(max(took), NOTICEABLE_S), took


def flood(peer: Peer, lines: list[str]) -> threading.Thread:
    """Let a peer send all the data, and wait while the server does not read."""

    def send() -> None:
        peer.socket.settimeout(PATIENCE * 3)
        peer.socket.sendall("".join(lines).encode())

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_flood_of_ten_thousand_lines_is_slowed_and_loses_nothing(start) -> None:
    server: Server = start("--rate-limit", "10/4000")
    listener, flooder = server.rich("ear"), server.plain("flooder")
    lines = [f"{number}\n" for number in range(10_000)]
    with promptly_served(server):
        began = time.monotonic()
        thread = flood(flooder, lines)
        heard = [listener.expect("said", nick="flooder")["text"] for _ in lines]
        took = time.monotonic() - began
        thread.join()
    assert heard == [line.rstrip() for line in lines]
    assert took > 9_990 / 4000 * 0.9
    flooder.say("/who")
    told = [line for line in flooder.expect(" here: ") if "you are fast" in line]
    assert len(told) == 1
    assert "none is lost" in told[0]


def test_flood_without_a_rate_limit_delays_and_loses_nothing(start) -> None:
    server: Server = start()
    listener, flooder = server.rich("ear"), server.rich("flooder")
    lines = [f'{{"type":"say","id":"{number}","text":"{number}"}}\n' for number in range(10_000)]
    with promptly_served(server):
        threads = [flood(flooder, lines), threading.Thread(target=lambda: list(flooder_hears(flooder, 10_000)))]
        threads[1].start()
        heard = [listener.expect("said", nick="flooder")["text"] for _ in lines]
        for thread in threads:
            thread.join()
        time.sleep(0.3)  # A few more lines after the flood.
    assert heard == [str(number) for number in range(10_000)]


def flooder_hears(flooder: RichPeer, wanted: int) -> Iterator[str]:
    for number in range(wanted):
        yield flooder.expect("said", id=f"{number}")["id"]


def test_flood_after_a_pause_gets_a_second_notice(start) -> None:
    server: Server = start("--rate-limit", "3/40")
    ada, bob = server.plain("ada"), server.rich("bob")
    ada.send("x\n" * 9 + "last\n")
    ada.expect("you are fast")
    bob.expect("said", text="last")
    time.sleep(1.1)  # The test needs this pause: at least a second, in which a whole burst is earned.
    ada.send("x\n" * 10)
    ada.expect("you are fast")


def test_reader_that_never_reads_is_closed_unnoticed(start) -> None:
    server: Server = start()
    deaf = server.plain("deaf")
    watcher, talker = server.rich("watcher"), server.rich("talker")
    watcher.sees("deaf")
    with promptly_served(server):
        said = talk_until_gone("deaf", talker, watcher)
        watcher.sees_no("deaf")
    assert len(deaf.lines_until_closed()) < said


def test_slow_reader_that_is_closed_gets_the_reason(start) -> None:
    server: Server = start(sabotage="lingering")
    slow = server.connect(receive_buffer=2**17)
    slow.send("slow\n")
    talker = server.rich("talker")
    talker.sees("slow")
    talk_until_gone("slow", talker)
    assert "too slowly" in slow.lines_until_closed()[-1]


@NEEDS_PROC
def test_a_reader_that_takes_nothing_for_too_long_is_let_go(start) -> None:
    server: Server = start(sabotage="impatient")
    slow, talker = slow_peer(server), server.rich("talker")
    talker.sees("slow")
    fill(server, slow, talker)
    with promptly_served(server):
        talk_until_gone("slow", talker)  # The kernel may yet make room for more, so that nothing waits.
    assert server.alive()


@NEEDS_PROC
def test_a_slow_reader_that_reads_in_time_loses_nothing(start) -> None:
    server: Server = start()
    slow, talker = slow_peer(server), server.rich("talker")
    talker.sees("slow")
    lines = fill(server, slow, talker)
    assert lines_heard(slow, last=lines[-1]) == lines


def test_silent_connections_are_closed_after_the_join_timeout(start) -> None:
    server: Server = start("--join-timeout", "1")
    began = time.monotonic()
    silent = [server.connect() for _ in range(100)]
    with promptly_served(server):
        for peer in silent:
            lines = peer.lines_until_closed()
            assert lines[-1:] == ["*** goodbye: no nickname came within 1 second"]
        took = time.monotonic() - began
    assert took > 0.9
    assert is_within(took, 6)
    watcher = server.rich("watcher")
    wait_until(lambda: watcher.status()["connections"] == 3, "only those who talk are connected")


@pytest.mark.parametrize(
    "first",
    ["a nickname that never ends", '{"type":"hello","nick":"never ends'],
    ids=["plain", "rich"],
)
def test_a_byte_a_time_does_not_extend_the_join_timeout(start, first: str) -> None:
    server: Server = start("--join-timeout", "0.5")
    peer = server.connect()
    began = time.monotonic()
    for byte in first.encode() * 10:
        peer.send(bytes([byte]))
        if not peer.hears_nothing(0.1):
            break
    peer.lines_until_closed()
    took = time.monotonic() - began
    assert took > 0.4
    assert is_within(took, 3)
    assert "no nickname came within 0.5 second" in peer.heard[-1]


def test_refused_nicknames_do_not_extend_the_join_timeout(start) -> None:
    server: Server = start("--join-timeout", "0.5")
    peer = server.connect()
    began = time.monotonic()
    try:
        while time.monotonic() - began < 5:
            peer.send("*\n")
            peer.line()
            time.sleep(0.05)
    except (Closed, ConnectionError):
        pass
    took = time.monotonic() - began
    assert took > 0.4
    assert is_within(took, 3)


def test_idle_connection_is_closed_only_with_an_idle_timeout(start) -> None:
    timeout = round(allowed(1.2), 1)
    server: Server = start("--idle-timeout", f"{timeout}")
    idle, busy = server.plain("idle"), server.plain("busy")
    began = time.monotonic()
    while time.monotonic() - began < timeout * 1.25:
        busy.say("still here")
        time.sleep(timeout / 12)
    assert f"nothing was heard of you for {timeout:g} second" in idle.lines_until_closed()[-1]
    busy.say("/who")
    busy.expect("1 here: busy")


def test_a_hundred_lines_at_once_are_all_taken_at_their_pace(start) -> None:
    server: Server = start("--rate-limit", "10/100")
    bob, ada = server.rich("bob"), server.plain("ada")
    began = time.monotonic()
    ada.send("".join(f"{number}\n" for number in range(100)))
    heard = [bob.expect("said")["text"] for _ in range(100)]
    assert heard == [str(number) for number in range(100)]
    took = time.monotonic() - began
    assert took > 0.8
    assert is_within(took, 4)


def test_lines_of_a_half_closed_sender_are_taken_at_their_pace(start) -> None:
    server: Server = start("--rate-limit", "5/50")
    bob, ada = server.rich("bob"), server.plain("ada")
    ada.send("".join(f"{number}\n" for number in range(40)))
    ada.half_close()
    assert [bob.expect("said")["text"] for _ in range(40)] == [str(number) for number in range(40)]
    bob.sees_no("ada")
