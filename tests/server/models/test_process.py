"""Tests of promises of the process model only: a worker that dies, hangs or is killed harms one connection."""

import os
import signal
import time

import psutil
import pytest

from tests.pace import is_within
from tests.running import PATIENCE, RichPeer, Server, has_ended, wait_until


@pytest.fixture
def server(start_server) -> Server:
    started: Server = start_server("process")
    return started


def worker_of(peer: RichPeer) -> int:
    kind, number = peer.welcome["served_by"].split()
    assert kind == "process"
    return int(number)


def test_killed_worker_is_announced_as_one_departure(server: Server) -> None:
    ada, bob, cleo, dan = server.rich("ada"), server.rich("bob"), server.plain("cleo"), server.rich("dan")
    dan.sees("ada", "bob", "cleo")
    bob.sync()
    cleo.say("/who")
    cleo.expect(" here: ")
    os.kill(worker_of(ada), signal.SIGKILL)
    ada.lines_until_closed()
    bob.expect("presence", left=["ada"])
    cleo.expect("*** ada left")
    cleo.say("and on we go")
    events = [bob.event()]
    while events[-1]["type"] != "said":
        events.append(bob.event())
    assert events[-1]["text"] == "and on we go"
    assert not any("ada" in event.get("left", ()) for event in events)
    assert server.rich("ada").welcome["you"] == "ada"


def test_chaos_in_a_switch_kills_workers_only(server: Server) -> None:
    """While the sessions move to threads, a connection that a thread serves already has no worker to kill."""
    boss, others = server.operator(), [server.rich(f"person{number}") for number in range(40)]
    witness = server.rich("witness")
    boss.command("switch", model="thread")
    for number in range(300):
        boss.command("chaos", what="kill-worker", nick=f"person{number % 40}")
    boss.expect("switched")
    boss.sync()
    boss.command("chaos", what="kill-worker", nick="boss")
    assert boss.expect("refused")["code"] == "no-worker"
    killed = [event for event in witness.sync() if event.get("text", "").startswith("boss killed the worker of ")]
    boss.command("watch")
    reading = boss.expect("meter")
    assert reading["tally"]["died"] == len(killed)
    assert reading["connections"] == len(others) + 2 - len(killed)


def test_worker_that_hangs_delays_no_other(server: Server) -> None:
    ada, bob, cleo = server.rich("ada"), server.rich("bob"), server.plain("cleo")
    cleo.say("/who")
    os.kill(worker_of(ada), signal.SIGSTOP)
    for number in range(2000):
        bob.say(f"{number} " + "x" * 500)
        bob.expect("said")
    cleo.expect("bob: 1999")
    os.kill(worker_of(ada), signal.SIGCONT)
    for number in range(2000):
        assert ada.expect("said")["text"].startswith(f"{number} ")
    bob.sync()


def test_lines_after_a_block_arrive_after_it(server: Server) -> None:
    """The worker is suspended meanwhile, and then finds both in its pipe."""
    boss, ada = server.operator(), server.rich("ada")
    boss.sees("ada")
    os.kill(worker_of(ada), signal.SIGSTOP)
    boss.command("chaos", what="block", nick="ada", seconds=0.5)
    boss.say("after it", id="1")
    boss.expect("said", id="1")
    began = time.monotonic()
    os.kill(worker_of(ada), signal.SIGCONT)
    ada.expect("said", text="after it")
    assert time.monotonic() - began >= 0.5


@pytest.mark.parametrize("stuck_one", ["first", "last"])
def test_a_worker_that_hangs_for_ever_costs_no_memory_for_ever(server: Server, stuck_one: str) -> None:
    if stuck_one == "first":
        ada, bob = server.rich("ada"), server.rich("bob")
    else:
        bob, ada = server.rich("bob"), server.rich("ada")
    bob.sees("ada")
    os.kill(worker_of(ada), signal.SIGSTOP)
    for _ in range(3000):
        bob.say("字" * 1300)
        bob.expect("said")
    bob.sees_no("ada")
    assert not psutil.pid_exists(worker_of(ada))


def test_switch_waits_for_many_stuck_workers_as_long_as_for_one(server: Server) -> None:
    boss = server.operator()
    stuck = [server.rich(f"p{number}") for number in range(70)]
    boss.sees("p0", "p69")
    for peer in stuck:
        os.kill(worker_of(peer), signal.SIGSTOP)
    assert is_within(boss.switch("event")["pause"], 1.2)
    assert boss.people() == ["boss"]


def test_a_worker_is_not_blamed_for_a_pause_of_the_master(server: Server) -> None:
    boss, ada = server.operator(), server.rich("ada")
    boss.sees("ada")
    os.kill(worker_of(ada), signal.SIGSTOP)
    boss.command("switch", model="event")
    wait_until(lambda: len(server.children()) == 2, "all but ada have given their session back")
    server.process.suspend()
    time.sleep(1.2)  # The test needs this pause: longer than the master waits for a worker.
    server.process.resume()
    time.sleep(0.1)
    os.kill(worker_of(ada), signal.SIGCONT)
    assert boss.expect("switched")["carried"] == 2
    ada.say("still here", id="1")
    ada.expect("said", id="1")


def test_room_exception_for_a_dead_worker_harms_no_other(start_server) -> None:
    server: Server = start_server("process", sabotage="room_fails", fails=True)
    bob, ada = server.rich("bob"), server.rich("ada")
    bob.sees("ada")
    server.process.suspend()
    ada.say("poison", id="1")
    worker = psutil.Process(worker_of(ada))
    time.sleep(0.3)  # The worker writes it into its pipe at an unknown time.
    worker.kill()
    wait_until(lambda: has_ended(worker), "the worker is dead")
    server.process.resume()
    bob.sees_no("ada")
    assert server.alive()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_fork_server_that_is_killed_or_hangs_is_replaced(server: Server, number: int) -> None:
    bob, ada = server.rich("bob"), server.plain("ada")
    parent = psutil.Process(worker_of(bob)).parent()
    assert parent
    assert parent != server.process
    parent.send_signal(number)
    assert server.rich("newcomer").welcome["you"] == "newcomer"
    bob.say("we are still here")
    ada.expect("bob: we are still here")
    server.operator().switch("event")
    wait_until(lambda: not parent.is_running(), "the one that was stuck is gone")


@pytest.mark.parametrize("way", ["switch", "end"])
def test_fork_server_that_hangs_does_not_delay_a_switch(server: Server, way: str) -> None:
    boss, ada = server.operator(), server.plain("ada")
    boss.sees("ada")
    parent = psutil.Process(worker_of(boss)).parent()
    assert parent
    parent.suspend()
    if way == "switch":
        assert is_within(boss.switch("event")["pause"], 1)
    else:
        began = time.monotonic()
        assert server.terminate() == 0
        assert is_within(time.monotonic() - began, 3)
        assert ada.lines_until_closed()[-1].startswith("*** goodbye: ")
    wait_until(lambda: not parent.is_running(), "the one that was stuck is gone")


def test_when_it_hangs_a_line_waits_less_than_a_second(server: Server) -> None:
    boss = server.rich("boss")
    parent = psutil.Process(worker_of(boss)).parent()
    assert parent
    parent.suspend()
    server.connect()
    began = time.monotonic()
    while time.monotonic() - began < 0.2:
        boss.say("is anybody there?", id="1")
        boss.expect("said", id="1")
    assert is_within(time.monotonic() - began, 2)


def test_no_worker_outlives_a_master_that_was_killed(server: Server) -> None:
    for number in range(5):
        server.rich(f"ada{number}")
    children = server.children()
    assert len(children) >= 5
    server.process.kill()
    _, alive = psutil.wait_procs(children, timeout=PATIENCE)
    assert not alive
