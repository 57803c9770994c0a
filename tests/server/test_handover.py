"""A switch of models while members talk: no connection is dropped, no line is lost, and no resource is left behind."""

import os
import signal
import threading
import time
from itertools import count, permutations
from pathlib import Path

import pytest

from protocol.format import NOW_SERVED
from protocol.messages import Model
from tests.pace import is_within
from tests.running import PlainPeer, RichPeer, Server, wait_until
from tests.server.slow import NEEDS_PROC, fill, lines_heard, slow_peer
from tests.server.talk import runs_by, talk

MODELS = [model.value for model in Model]
PAIRS = list(permutations(MODELS, 2))
each_pair = pytest.mark.parametrize(("before", "after"), PAIRS)
each_round = pytest.mark.parametrize(
    "models",
    [("event", "thread", "process", "event"), ("event", "process", "thread", "event")],
    ids=["event-thread-process", "event-process-thread"],
)
"""Both together make each of the six switches once."""


@each_pair
def test_switch_carries_all_members_over_while_they_talk(start_server, before: str, after: str) -> None:
    server: Server = start_server(before)
    boss, ada = server.operator(), server.plain("ada")
    with talk(server) as talks:
        switched = boss.switch(after)
    assert switched["before"] == before
    assert switched["carried"] == 6
    assert is_within(switched["pause"], 1)
    ada.expect(f"*** {NOW_SERVED[after]}: 6 carried over in ")
    assert is_within(max(one.slowest for one in talks), 2)
    status = boss.status()
    assert status["model"] == after
    assert status["connections"] == 6
    assert status["served_by"].startswith(after)
    runs_by(server, after, connections=6)


@each_round
def test_half_a_line_travels(start_server, models: list[str]) -> None:
    server: Server = start_server(models[0])
    boss, ada, bob = server.operator(), server.plain("ada"), server.rich("bob")
    half = "half a line of 李".encode()
    for after in models[1:]:
        newcomer, rich = server.connect(), server.rich_stranger()
        ada.send(b"whole\n" + half[:-1])
        bob.send('{"type":"say","id":"","text":"left')
        newcomer.send("new")
        rich.send('{"type":"hel')
        boss.expect("said", text="whole")
        boss.sync()
        boss.switch(after)
        ada.send(half[-1:] + b"!\n")
        boss.expect("said", text="half a line of 李!")
        bob.send(' and right"}\n')
        boss.expect("said", text="left and right")
        newcomer.send(f"comer{after}\n")
        assert newcomer.line() == "Connected to chat server"
        rich.send(f'lo","nick":"rich{after}"}}\n')
        assert rich.expect("welcome")["you"] == f"rich{after}"
        boss.sees(f"newcomer{after}", f"rich{after}")
        newcomer.close()
        rich.close()
        boss.sees_no(f"newcomer{after}", f"rich{after}")


@NEEDS_PROC
@each_round
def test_unsent_bytes_of_a_slow_reader_travel(start_server, models: list[str]) -> None:
    server: Server = start_server(models[0])
    boss, slow, talker = server.operator(), slow_peer(server), server.rich("talker")
    boss.sees("slow", "talker")
    lines = fill(server, slow, talker)
    for after in models[1:]:
        assert is_within(boss.switch(after)["pause"], 1.5)
    talker.say("the end")
    assert lines_heard(slow, last="the end") == [*lines, "the end"]


@each_round
def test_a_flood_allowance_travels_and_is_no_new_burst(start_server, models: list[str]) -> None:
    server: Server = start_server(models[0], "--rate-limit", "10/10")
    boss, ada = server.operator(), server.plain("ada")
    began = time.monotonic()
    ada.send("".join(f"{number}\n" for number in range(24)))
    for step, after in enumerate(models[1:]):
        hear_of(boss, 8 + 5 * step)
        boss.switch(after)
    hear_of(boss, 23)
    assert time.monotonic() - began > 1.3  # The burst was the nickname and 9 lines; 15 came at 10 a second.
    ada.say("/who")
    assert len([line for line in ada.expect(" here: ") if "you are fast" in line]) == 1


def hear_of(peer: RichPeer, line: int) -> None:
    """Wait until this line was said, now or before."""
    while not any(f'"text":"{line}"' in heard for heard in peer.heard):
        peer.event()


@each_round
def test_the_join_timeout_goes_on_over_a_switch(start_server, models: list[str]) -> None:
    server: Server = start_server(models[0], "--join-timeout", "1.5")
    began = time.monotonic()
    silent = server.connect()
    boss = server.operator()
    for after in models[1:]:
        time.sleep(0.2)  # Somewhere in the middle of the time it has.
        boss.switch(after)
    assert "no nickname came" in silent.lines_until_closed()[-1]
    took = time.monotonic() - began
    assert took > 1.4
    assert is_within(took, 2.7)


@each_round
def test_closing_connections_do_not_disturb_a_switch(start_server, models: list[str]) -> None:
    server: Server = start_server(models[0])
    boss, stays = server.operator(), server.rich("stays")
    gone: list[str] = []
    for after in models[1:]:
        leaving = [server.rich(f"{after}{number}") for number in range(5)]
        boss.sees(*(peer.welcome["you"] for peer in leaving))
        leaving[0].command("quit")  # Told goodbye, and does not close: it has 2 seconds.
        leaving[1].half_close()
        leaving[2].close()
        leaving[3].reset()
        leaving[4].send("x" * 80_000)
        server.connect().send("GET / HTTP/1.1\r\n\r\n")
        boss.switch(after)
        assert leaving[0].expect("goodbye")["code"] == "quit"
        gone += [peer.welcome["you"] for peer in leaving]
    boss.sees_no(*gone)
    wait_until(lambda: boss.status()["connections"] == 2, "only those who stayed are connected")
    stays.say("still here")
    boss.expect("said", text="still here")


def test_goodbye_overdue_in_a_switch_does_not_disturb_it(start_server) -> None:
    server: Server = start_server("event")
    boss = server.operator()
    order = [model for before, after in PAIRS for model in (before, after)]
    deadline = time.monotonic() + 4  # Twice the 2 seconds that each has, so that some are over just in a switch.
    for number in count():
        model = order[number % len(order)]
        if model != boss.status()["model"]:
            quitter = server.rich(f"quitter{number}")
            quitter.command("quit")
            quitter.expect("goodbye")
            boss.switch(model)
        if time.monotonic() > deadline:
            break
    wait_until(lambda: boss.status()["connections"] == 1, "those who said goodbye are gone")


@pytest.mark.parametrize("model", MODELS)
def test_newcomers_during_a_switch_wait_and_are_served(start_server, model: str) -> None:
    server: Server = start_server(model)
    boss = server.operator()
    joined: list[str] = []
    failed: list[BaseException] = []
    done = threading.Event()

    def come() -> None:
        try:
            for number in count():
                if done.is_set():
                    return
                peer = server.rich(f"p{number}") if number % 2 else server.plain(f"p{number}")
                joined.append(f"p{number}")
                peer.close()
        except BaseException as error:  # noqa: BLE001 (raised again below, in the test's own thread)
            failed.append(error)

    thread = threading.Thread(target=come)
    thread.start()
    try:
        order = [MODELS[(MODELS.index(model) + step) % 3] for step in range(1, 10)]
        for after in order:
            had = len(joined)
            boss.switch(after)
            wait_until(lambda had=had: len(joined) > had + 2 or failed, "somebody came in")
    finally:
        done.set()
        thread.join()
    if failed:
        raise failed[0]


def test_there_is_one_switch_at_a_time(start_server) -> None:
    server: Server = start_server("event")
    boss = server.operator()
    boss.send('{"type":"switch","model":"thread"}\n{"type":"switch","model":"process"}\n')
    assert boss.expect("refused")["code"] == "switching"
    assert boss.expect("switched")["model"] == "thread"
    assert boss.status()["model"] == "thread"


@pytest.mark.parametrize(("after", "third"), [("process", "thread"), ("thread", "process")])
def test_second_switch_is_refused_until_the_first_has_ended(
    start_server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str, third: str
) -> None:
    slow = tmp_path / "slow"
    monkeypatch.setenv("THREE_CHAT_ROOMS_SLOW", str(slow))
    server: Server = start_server("event", "--join-timeout", "600", sabotage="slow_to_take_over")
    boss = server.operator()
    for _ in range(140):
        server.connect()
    wait_until(lambda: boss.status()["connections"] == 141, "all are here")
    slow.touch()
    boss.command("switch", model=after)
    status = boss.status()
    while not status["served_by"].startswith(after):
        status = boss.status()
    assert status["model"] == "event"  # It has begun to take over, and not ended.
    for model in (third, "event", after):
        boss.command("switch", model=model)
        assert boss.expect("refused")["code"] == "switching"
    slow.unlink()
    switched = boss.expect("switched")
    assert (switched["before"], switched["model"], switched["carried"]) == ("event", after, 141)
    assert boss.switch(third)["before"] == after


@pytest.mark.parametrize(("before", "after"), [("event", "thread"), ("thread", "process"), ("process", "event")])
def test_the_switch_is_told_at_once_in_a_quiet_room(start_server, before: str, after: str) -> None:
    server: Server = start_server(before)
    boss = server.operator()
    late: list[float] = []
    for _ in range(3):
        late.append(-boss.switch(after)["at"] + time.time())
        boss.switch(before)
    assert is_within(min(late), 0.15)


@pytest.mark.parametrize(("before", "after"), [("event", "thread"), ("thread", "event"), ("process", "event")])
def test_block_requested_with_a_switch_delays_no_member(start_server, before: str, after: str) -> None:
    server: Server = start_server(before)
    boss, ada, bob = server.operator(), server.rich("ada"), server.plain("bob")
    boss.sees("ada", "bob")
    began = time.monotonic()
    boss.send(f'{{"type":"chaos","what":"block","nick":"ada","seconds":5}}\n{{"type":"switch","model":"{after}"}}\n')
    switched = boss.expect("switched")
    assert switched["carried"] == 3
    assert is_within(switched["pause"], 1)
    for peer in (boss, ada):
        peer.sync()
    bob.say("well")
    boss.expect("said", text="well")
    assert is_within(time.monotonic() - began, 3)


@pytest.mark.parametrize(("before", "after"), [pair for pair in PAIRS if pair[0] != "event"])
def test_a_switch_ends_a_block(start_server, before: str, after: str) -> None:
    server: Server = start_server(before)
    boss, ada = server.operator(), server.rich("ada")
    boss.sees("ada")
    boss.command("chaos", what="block", nick="ada", seconds=5)
    ada.expect("notice")  # The block is before what it is told next.
    began = time.monotonic()
    switched = boss.switch(after)
    assert switched["carried"] == 2
    assert is_within(switched["pause"], 1)
    ada.sync()
    assert is_within(time.monotonic() - began, 3)


@pytest.mark.parametrize("model", MODELS)
def test_a_block_does_not_delay_the_end(start_server, model: str) -> None:
    server: Server = start_server(model)
    boss, ada = server.operator(), server.rich("ada")
    boss.sees("ada")
    boss.command("chaos", what="block", nick="ada", seconds=5)
    ada.expect("notice")
    began = time.monotonic()
    assert server.terminate() == 0
    assert is_within(time.monotonic() - began, 3)
    assert ada.expect("goodbye")["code"] == "closing"


@pytest.mark.parametrize("model", MODELS)
def test_switch_of_a_member_is_refused(start_server, model: str) -> None:
    server: Server = start_server(model)
    ada, plain = server.rich("ada"), server.plain("bob")
    ada.command("switch", model="event" if model != "event" else "thread")
    assert ada.expect("refused")["code"] == "not-operator"
    ada.command("operator", proof="0" * 64)
    assert ada.expect("refused")["code"] == "wrong-proof"
    plain.say("/model event")
    plain.expect("only an operator can")
    ada.prove()
    ada.command("switch", model=model)
    assert ada.expect("refused")["code"] == "same-model"
    ada.command("switch", model="fibre")
    assert ada.expect("refused")["code"] == "bad-command"


def test_fifty_switches_in_a_row_leave_nothing_behind(start_server) -> None:
    server: Server = start_server("event")
    boss = server.operator()
    with talk(server) as talks:
        for model in ("thread", "process", "event"):
            boss.switch(model)  # Code that is loaded once is no leak.
        before = server.facts()
        for step in range(48):
            boss.switch(("thread", "process", "event")[step % 3])
    wait_until(lambda: server.facts()[:3] == before[:3], f"descriptors, threads, children as before: {before}")
    assert server.facts().memory - before.memory < 3 * 2**20
    assert boss.status()["connections"] == 5
    assert all(one.said > 50 for one in talks)


def test_a_hundred_are_carried_over_both_ways(start_server) -> None:
    server: Server = start_server("event")
    boss = server.operator()
    peers = [server.rich(f"p{number}") if number % 2 else server.plain(f"p{number}") for number in range(100)]
    for model in ("process", "thread", "process", "event"):
        assert boss.switch(model)["carried"] == 101
        boss.say(f"by {model} now")
    for peer in peers:
        if isinstance(peer, RichPeer):
            peer.expect("said", text="by event now")
        elif isinstance(peer, PlainPeer):
            peer.expect("boss: by event now")
    assert boss.status()["connections"] == 101


@pytest.mark.parametrize("after", ["thread", "event"])
def test_a_stuck_worker_delays_a_switch_by_less_than_a_second(start_server, after: str) -> None:
    server: Server = start_server("process")
    boss, stuck = server.operator(), server.rich("stuck")
    worker = int(stuck.welcome["served_by"].split()[1])
    boss.sees("stuck")
    with talk(server):
        os.kill(worker, signal.SIGSTOP)
        switched = boss.switch(after)
    assert is_within(switched["pause"], 1.2)
    boss.sees_no("stuck")
    runs_by(server, after, connections=5)
    stuck.lines_until_closed()


@NEEDS_PROC
def test_switch_does_not_wait_for_slow_readers(start_server) -> None:
    server: Server = start_server("event")
    boss, talker = server.operator(), server.rich("talker")
    deaf = [slow_peer(server) for _ in range(5)]
    boss.sees("slow", "slow2", "slow3", "slow4", "slow5")
    fill(server, deaf[-1], talker)
    for model in ("thread", "process", "event"):
        assert is_within(boss.switch(model)["pause"], 1)


@pytest.mark.parametrize("model", MODELS)
def test_end_during_a_switch_says_goodbye(start_server, model: str) -> None:
    server: Server = start_server(model)
    boss, ada = server.operator(), server.plain("ada")
    after = MODELS[(MODELS.index(model) + 1) % 3]
    boss.command("switch", model=after)
    assert server.terminate() == 0
    assert ada.lines_until_closed()[-1].startswith("*** goodbye: ")
    wait_until(server.ended, "nothing is left of it")


@NEEDS_PROC
@pytest.mark.parametrize("model", MODELS)
def test_server_ends_within_two_seconds_despite_stuck_peers(start_server, model: str) -> None:
    server: Server = start_server(model)
    talker, stuck, deaf = server.rich("talker"), server.rich("stuck"), slow_peer(server)
    talker.sees("stuck", "slow")
    fill(server, deaf, talker)
    if model == "process":
        os.kill(int(stuck.welcome["served_by"].split()[1]), signal.SIGSTOP)
    began = time.monotonic()
    assert server.terminate() == 0
    assert is_within(time.monotonic() - began, 2.4)
    assert talker.expect("goodbye")["code"] == "closing"
