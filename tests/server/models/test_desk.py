"""Tests of operator commands over real connections, under each model."""

import re
import threading
import time
from collections.abc import Callable
from itertools import count

import pytest

from tests.pace import allowed, is_within
from tests.running import PATIENCE, Closed, PlainPeer, RichPeer, Server, wait_until
from tests.server.slow import talk_until_gone

PROMPT_S = 1.0
"""Seconds within which a kick takes effect, also during a flood."""
WELL_AGAIN_S = 3.0
"""Seconds within which a fault is over, and all members except its victim can talk again."""
BLOCKED = 1.0
"""Seconds that the blocks of these tests take."""

Start = Callable[..., Server]


@pytest.fixture
def boss(room: Server) -> RichPeer:
    return room.operator()


def talk_again(speaker: RichPeer, *listeners: RichPeer | PlainPeer) -> None:
    """Check that all of these can talk: one sends a line, and the others get it, within WELL_AGAIN_S."""
    text = f"still here {time.monotonic_ns()}"
    began = time.monotonic()
    speaker.say(text)
    for listener in listeners:
        if isinstance(listener, PlainPeer):
            listener.expect(text)
        else:
            listener.expect("said", text=text)
    assert is_within(time.monotonic() - began, WELL_AGAIN_S)


# Keeping order


def test_the_kicked_are_gone_at_once_and_all_are_told(room: Server, boss: RichPeer) -> None:
    ada, bob, eve = room.rich("ada"), room.plain("bob"), room.plain("eve")
    boss.command("kick", nick="ada", reason="that will do")
    assert ada.expect("goodbye") == {"type": "goodbye", "code": "kicked", "reason": "boss kicked you: that will do"}
    with pytest.raises(Closed):
        ada.line()
    boss.command("kick", nick="bob", reason="")
    assert "kicked you" in bob.expect("*** goodbye")[-1]
    assert bob.lines_until_closed() == []
    eve.expect("*** boss kicked ada: that will do")
    eve.expect("*** boss kicked bob")
    assert "boss kicked ada: that will do" in room.log()


def test_a_ghost_can_be_kicked_by_its_number(start: Start) -> None:
    server = start()
    boss = server.operator()
    ghost = server.connect()
    wait_until(lambda: boss.status()["connections"] == 2, "the ghost is counted")
    boss.command("kick", nick="#2", reason="boo")
    assert "boo" in ghost.lines_until_closed()[-1]
    boss.expect("notice", text="boss kicked connection 2: boo")
    boss.command("kick", nick="#2")
    assert boss.expect("refused")["code"] == "unknown-person"


@pytest.fixture
def stranger(room: Server) -> PlainPeer:
    return room.plain("stranger")


@pytest.mark.parametrize("name", ["kick", "ban", "mute", "op"])
def test_command_against_an_unknown_person_is_refused(
    room: Server, boss: RichPeer, stranger: PlainPeer, name: str
) -> None:
    boss.command(name, nick="nobody")
    assert boss.expect("refused")["code"] == "unknown-person"
    talk_again(boss, stranger)


def test_commands_of_members_are_refused_in_both_dialects(room: Server, boss: RichPeer) -> None:
    ada, bob = room.rich("ada"), room.plain("bob")
    for name, fields in (
        ("kick", {"nick": "boss"}),
        ("lock", {}),
        ("quiet", {}),
        ("slow", {"seconds": 60}),
        ("close", {}),
        ("op", {"nick": "ada"}),
        ("chaos", {"what": "raise", "nick": "boss"}),
        ("switch", {"model": "thread"}),
    ):
        ada.command(name, **fields)
        assert ada.expect("refused")["code"] == "not-operator", name
    for line in ("/kick boss", "/lock", "/quiet off", "/slow 60", "/close", "/op bob", "/chaos raise boss"):
        bob.say(line)
        bob.expect("only an operator can")
    talk_again(boss, ada, bob)


def test_muted_member_is_not_heard_and_keeps_its_nickname(room: Server, boss: RichPeer) -> None:
    ada, bob = room.plain("ada"), room.rich("bob")
    boss.command("mute", nick="ada")
    ada.expect("*** boss muted ada")
    ada.say("hello?")
    ada.expect("*** you are muted")
    ada.say("/nick buy-this")
    ada.expect("*** you are muted, and your nickname stays")
    boss.command("mute", nick="ada", on=False)
    ada.expect("*** boss unmuted ada")
    ada.say("/nick lovelace")
    bob.expect("presence", renamed=[["ada", "lovelace"]])
    ada.say("hello!")
    assert bob.expect("said")["text"] == "hello!"


def test_muted_member_that_resumes_is_still_muted(room: Server, boss: RichPeer) -> None:
    ada = room.rich("ada")
    boss.command("mute", nick="ada")
    boss.sync()
    again = room.rich("ada", resume={"token": ada.welcome["token"], "after": ada.welcome["seq"]})
    again.say("hello?", id="1")
    assert again.expect("refused", id="1")["code"] == "muted"


def test_the_rules_of_a_room(start: Start) -> None:
    """Slow, quiet, lock and pin, in a server for this test only, because the rules would apply to later tests."""
    server = start()
    boss, ada, bob = server.operator(), server.rich("ada"), server.plain("bob")
    boss.command("slow", seconds=0.7)
    bob.expect("*** boss slowed the room down")
    ada.send('{"type":"say","id":"1","text":"one"}\n{"type":"say","id":"2","text":"two"}\n')
    ada.expect("said", id="1")
    refused = ada.expect("refused", id="2")
    assert refused["code"] == "slow-mode"
    assert 0 < refused["wait"] <= 0.7 + 1e-6
    time.sleep(refused["wait"])
    ada.say("two", id="2")
    ada.expect("said", id="2")
    boss.command("slow", seconds=0)
    boss.command("quiet")
    bob.expect("*** boss asked for quiet")
    bob.say("psst")
    bob.expect("*** only operators speak now")
    talk_again(boss, ada, bob)
    boss.command("quiet", on=False)
    boss.command("pin", text="questions at the end")
    bob.expect("*** boss pinned: questions at the end")
    assert "*** pinned: questions at the end" in server.plain("cleo").line()
    boss.command("lock")
    bob.expect("*** boss locked the room")
    stranger = server.connect()
    stranger.send("dan\n")
    assert "the room is locked" in stranger.lines_until_closed()[-1]
    ada.close()
    back = server.rich("ada", resume={"token": ada.welcome["token"], "after": ada.welcome["seq"]})
    assert back.welcome["rules"] == {"locked": True, "quiet": False, "slow": 0.0, "pin": "questions at the end"}
    boss.command("lock", on=False)
    boss.sync()
    server.plain("dan")


def test_the_banned_stay_out(start: Start) -> None:
    server = start()
    boss, eve, bob = server.operator(), server.rich("eve"), server.rich("bob")
    boss.command("ban", nick="eve", minutes=1)
    assert eve.expect("goodbye")["code"] == "banned"
    for hello in ({"nick": "eve"}, {"nick": "x", "resume": {"token": eve.welcome["token"], "after": 0}}):
        stranger = server.rich_stranger()
        stranger.command("hello", **hello)
        assert stranger.expect("goodbye")["code"] == "banned"
    boss.command("ban", nick="boss")
    assert boss.expect("refused")["code"] == "yourself"
    boss.command("unban", nick="eve")
    bob.expect("notice", text="boss let eve in again")
    talk_again(boss, bob, server.plain("eve"))


def test_key_holder_comes_back_to_a_locked_room_and_unlocks_it(start: Start) -> None:
    server = start()
    boss, ada = server.operator(), server.rich("ada")
    boss.command("op", nick="ada")
    ada.expect("operator")
    boss.command("lock")
    ada.command("ban", nick="boss")
    assert ada.expect("refused")["code"] == "operator"
    ada.command("kick", nick="boss")
    assert ada.expect("refused")["code"] == "operator"
    boss.close()
    ada.sees_no("boss")
    again = server.rich("boss", resume={"token": boss.welcome["token"], "after": boss.welcome["seq"]})
    assert again.welcome["operator"]
    again.command("lock", on=False)
    again.expect("rules", text="boss unlocked the room")
    server.plain("eve")


def test_an_operator_on_nc_gives_the_same_orders(start: Start) -> None:
    server = start()
    boss, ada, bob = server.operator(), server.rich("ada"), server.plain("bob")
    boss.command("op", nick="bob")
    bob.expect("*** boss made bob an operator")
    bob.say("/pin questions at the end")
    bob.expect("*** bob pinned: questions at the end")
    bob.say("/slow down")
    bob.expect("*** /slow takes the seconds between two lines")
    bob.say("/kick @ada that will do")
    assert ada.expect("goodbye")["reason"] == "bob kicked you: that will do"
    bob.say("/kick #99")
    bob.expect("*** there is no connection 99")


def test_right_proof_is_found_among_thirty_guessing_clients(start: Start) -> None:
    server = start()
    boss = server.rich("boss")
    guessers = [server.rich(f"guesser{number}") for number in range(30)]
    guessing = True

    def guess() -> None:
        while guessing:
            for guesser in guessers:
                guesser.command("operator", proof="a guess")
            time.sleep(0.3)

    thread = threading.Thread(target=guess)
    thread.start()
    try:
        guessers[0].expect("refused", code="wait")
        boss.prove()
    finally:
        guessing = False
        thread.join()
    wait_until(
        lambda: "boss (connection 1 from 127.0.0.1) proved the operator's key" in server.log(), "the log says so"
    )
    assert re.search(r"guesser\d+ \(connection \d+ from 127.0.0.1\) gave a wrong proof", server.log())
    assert "refused from 127.0.0.1" in server.log()  # Further guesses are logged as one line a minute.


def test_connections_without_a_nickname_are_listed_to_operators(start: Start) -> None:
    server = start()
    boss, ghost = server.operator(), server.connect()
    wait_until(lambda: boss.status()["connections"] == 2, "the ghost is counted")
    boss.command("who", nameless=True)
    assert boss.expect("notice")["text"].startswith("1 without a nickname: #2 from 127.0.0.1 for ")
    ghost.close()


def test_the_history_is_cleared_for_newcomers(start: Start) -> None:
    server = start()
    boss = server.operator()
    boss.say("a slip of the tongue")
    boss.sync()
    assert [said["text"] for said in server.rich("ada").welcome["history"]] == ["a slip of the tongue"]
    boss.command("clear-history")
    boss.sync()
    assert "history" not in server.rich("bob").welcome


def test_appointed_operator_can_give_commands(room: Server, boss: RichPeer) -> None:
    ada, bob = room.rich("ada"), room.plain("bob")
    boss.command("op", nick="ada")
    ada.expect("operator")
    ada.command("kick", nick="bob")
    assert bob.lines_until_closed()[-1].startswith("*** goodbye")


def test_an_operator_closes_the_room(start: Start) -> None:
    server = start()
    boss, ada = server.operator(), server.plain("ada")
    boss.command("close", reason="thank you all")
    assert ada.lines_until_closed()[-1] == "*** goodbye: thank you all"
    wait_until(lambda: not server.alive(), "the server has ended")
    assert server._popen.returncode == 0


def test_where_tells_each_member_its_server(room: Server, boss: RichPeer) -> None:
    ada, bob = room.rich("ada"), room.plain("bob")
    ada.command("where")
    assert ada.expect("notice")["text"].startswith(f"you: {ada.welcome['served_by']} · ")
    bob.say("/where")
    assert f"by the {room.model} model" in bob.expect("*** you: ")[-1]


def test_a_kick_in_a_flood_takes_effect_within_a_second(start: Start) -> None:
    server = start()
    boss, bob, flooder = server.operator(), server.rich("bob"), server.rich("flooder")
    flooding = threading.Thread(target=flood, args=(flooder,))
    flooding.start()
    bob.expect("said", nick="flooder", text="200")
    began = time.monotonic()
    boss.command("kick", nick="flooder")
    boss.expect("notice", text="boss kicked flooder")
    assert is_within(time.monotonic() - began, PROMPT_S)
    bob.expect("presence", left=["flooder"])
    assert not [event for event in bob.sync() if event["type"] == "said" and event["nick"] == "flooder"]
    flooding.join()  # The kick has ended it.
    talk_again(boss, bob)


def flood(peer: RichPeer) -> None:
    """Send lines as fast as the server takes them, until the connection ends. Raises AssertionError if it does not."""
    peer.socket.settimeout(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    try:
        for number in count(step=100):
            assert time.monotonic() < deadline, "the connection has not ended"
            lines = (f'{{"type": "say", "id": "", "text": "{one}"}}\n' for one in range(number, number + 100))
            peer.socket.sendall("".join(lines).encode())
    except OSError:
        return


# Chaos


def test_killed_worker_ends_one_connection(start: Start, model: str) -> None:
    server = start()
    boss, ada, bob = server.operator(), server.rich("ada"), server.plain("bob")
    boss.sees("ada")
    boss.command("chaos", what="kill-worker", nick="ada")
    if model != "process":
        assert boss.expect("refused")["code"] == "no-worker"
        talk_again(boss, ada, bob)
        return
    assert f"killed the worker of ada, {ada.welcome['served_by']}:" in bob.expect("*** boss killed")[-1]
    assert not any("goodbye" in line for line in ada.lines_until_closed())
    bob.expect("*** ada left")
    talk_again(boss, bob)
    assert meter(boss)["tally"]["died"] == 1


def test_an_exception_ends_the_session_it_is_in_and_no_other(start: Start) -> None:
    server = start(fails=True)
    boss, ada, bob = server.operator(), server.plain("ada"), server.rich("bob")
    bob.sees("ada")
    boss.command("chaos", what="raise", nick="ada")
    bob.expect("presence", left=["ada"])
    assert not any("said" in line for line in ada.lines_until_closed())
    talk_again(boss, bob)
    assert meter(boss)["tally"]["died"] == 1
    wait_until(lambda: "an operator asked for this exception" in server.log(), "the log says so")


def test_block_delays_all_members_in_the_event_model_only(start: Start, model: str) -> None:
    server = start()
    boss, ada, bob = server.operator(), server.rich("ada"), server.rich("bob")
    bob.sees("ada")
    ordered = time.monotonic()
    boss.command("chaos", what="block", nick="ada", seconds=BLOCKED)
    felt = "everybody waits" if model == "event" else "nobody else waits"
    for peer in (ada, bob):
        assert felt in peer.expect("notice")["text"]
    answered: dict[str, float] = {}

    def ping(nick: str, peer: RichPeer) -> None:
        peer.sync()
        answered[nick] = time.monotonic()

    threads = [threading.Thread(target=ping, args=person) for person in (("ada", ada), ("bob", bob))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answered["ada"] - ordered >= BLOCKED
    if model == "event":
        assert answered["bob"] - ordered >= BLOCKED
    else:
        assert answered["bob"] < answered["ada"]
    assert is_within(max(answered.values()) - ordered, WELL_AGAIN_S)
    talk_again(boss, ada, bob)


@pytest.mark.parametrize("what", ["slow-reader", "silent"])
def test_guest_that_misbehaves_harms_no_other(start: Start, what: str) -> None:
    server = start("--join-timeout", "1")
    boss, ada = server.operator(), server.plain("ada")
    before = set(server.children())
    boss.command("chaos", what=what)
    stays = {"slow-reader": 20, "silent": 1}[what]
    ada.expect(f"*** boss lets in a {what} guest, which stays for {stays} s")
    wait_until(lambda: boss.status()["connections"] == 3, "the guest is here")
    talk_again(boss, ada)
    if what == "silent":
        wait_until(lambda: boss.status()["connections"] == 2, "who says nothing is let go")
        wait_until(lambda: set(server.children()) <= before, "nothing is left of the guest, not even <defunct>")
    else:
        talk_past_its_buffers(boss, ada)
    talk_again(boss, ada)


def talk_past_its_buffers(boss: RichPeer, ada: PlainPeer) -> None:
    """Send more than the system and the server buffer for the guest, which reads nothing. The server ends it long
    before it would leave by itself, and the others get every line meanwhile."""
    # A member that joins and leaves between two presence events is not mentioned.
    wait_until(lambda: len(boss.people()) == 3, "everybody was told that the guest is here")
    gone = False
    for chunk in range(80):
        for _ in range(50):
            boss.say("x" * 1900)
        boss.say(f"chunk {chunk}")
        boss.expect("said", text=f"chunk {chunk}")
        heard = ada.expect(f"boss: chunk {chunk}")
        assert sum(line.startswith("boss: xxx") for line in heard) == 50
        gone = gone or any(line.startswith("*** slow-reader") and line.endswith(" left") for line in heard)
    if not gone:
        ada.expect(" left")


# The meter


def meter(boss: RichPeer) -> dict:
    """The next reading."""
    boss.command("watch")
    return boss.expect("meter")


def test_meter_agrees_with_the_counts_of_the_clients(start: Start, model: str) -> None:
    server = start()
    boss, speaker = server.operator(), server.rich("speaker")
    listeners = [server.plain(f"listener{number}") for number in range(5)]
    boss.command("watch")
    readings = [boss.expect("meter", people=7, lines=0.0)]
    took = []
    began = time.monotonic()
    for number in range(30):
        said_at = time.monotonic()
        speaker.say("word", id=f"{number}")
        speaker.expect("said", id=f"{number}")
        for listener in listeners:
            listener.expect("speaker: word")
        took.append(time.monotonic() - said_at)
        time.sleep(max(0.0, began + (number + 1) * 0.04 - time.monotonic()))
    while readings[-1]["tally"]["lines"] < 30 or readings[-1]["lines"]:
        readings.append(boss.expect("meter"))
    times = [reading["at"] for reading in readings]
    counted = sum(one["lines"] * (one["at"] - before) for one, before in zip(readings[1:], times, strict=False))
    assert counted == pytest.approx(30, rel=1e-4)  # Times pass through floating point.
    for one in readings:
        assert one["deliveries"] == pytest.approx(one["lines"] * 7)
        assert one["model"] == model
        assert one["connections"] == one["people"] == 7
    last = readings[-1]
    assert last["tally"]["lines"] == 30
    assert last["tally"]["most_people"] == 7
    assert 0 < last["p50"] <= last["p99"] <= last["tally"]["longest"]
    # The latency inside the server cannot exceed the whole latency, except for the time to read a clock.
    assert is_within(last["p50"] - sorted(took)[15], 0.001)
    assert last["tally"]["longest"] <= max(took) + allowed(0.25)


def test_longest_latency_is_that_of_a_line_during_a_block(start: Start, model: str) -> None:
    server = start()
    boss, ada, bob = server.operator(), server.rich("ada"), server.rich("bob")
    bob.sees("ada")
    boss.command("chaos", what="block", nick="ada", seconds=BLOCKED)
    for peer in (ada, bob):
        peer.expect("notice")
    waiting = bob if model == "event" else ada
    began = time.monotonic()
    waiting.say("does it take long?", id="1")
    waiting.expect("said", id="1")
    took = time.monotonic() - began
    longest = meter(boss)["tally"]["longest"]
    assert is_within(took - longest, 0.05), (took, longest)
    assert longest <= max(BLOCKED, took) + allowed(0.5), (took, longest)


def test_totals_count_closed_and_rejected_and_refused(start: Start) -> None:
    server = start("--max-clients", "4")
    boss, talker = server.operator(), server.rich("talker")
    boss.command("switch", model=server.model)  # A mistake of an operator is not counted.
    assert boss.expect("refused")["code"] == "same-model"
    slow, eve = server.connect(receive_buffer=2**17), server.plain("eve")
    slow.send("slow\n")
    talker.sees("slow")
    assert "the room is full" in server.connect().lines_until_closed()[-1]
    boss.command("lock")
    eve.close()
    boss.expect("presence", left=["eve"])
    turned_away, answer = 1, "the room is full"
    while "the room is full" in answer:  # The room announces that eve left shortly before her place is free.
        stranger = server.connect()
        stranger.send("stranger\n")
        answer = stranger.lines_until_closed()[-1]
        turned_away += 1
    assert "the room is locked" in answer
    talk_until_gone("slow", talker, boss)
    talker.say(" ", id="1")
    talker.expect("refused", id="1")
    tally = meter(boss)["tally"]
    assert {name: tally[name] for name in ("let_go", "turned_away", "refused")} == {
        "let_go": 1,
        "turned_away": turned_away,
        "refused": 1,
    }


def test_meter_agrees_with_proc(start: Start, model: str) -> None:
    server = start()
    boss = server.operator()
    people = [server.rich(f"person{number}") for number in range(6)]
    people[-1].sync()
    boss.command("watch")
    boss.expect("meter", people=7)
    before, began = cpu(server), time.monotonic()
    readings = []
    for _ in range(2):
        people[0].send("".join(f'{{"type": "say", "id": "", "text": "{number}"}}\n' for number in range(2000)))
        readings.append(boss.expect("meter"))
    used, passed = cpu(server) - before, time.monotonic() - began
    facts = server.facts()
    last = readings[-1]
    assert last["processes"] == facts.children + 1 == (9 if model == "process" else 1)
    assert last["threads"] == facts.threads
    # The proportional set size divides shared pages among processes; the meter takes it from a sample of workers.
    tree = [server.process, *server.children()]
    assert last["memory"] == pytest.approx(sum(one.memory_full_info().pss for one in tree), rel=0.2)
    metered = sum(reading["cpu"] for reading in readings) / len(readings) * passed
    assert metered == pytest.approx(used, rel=0.5, abs=0.15)
    assert sum(reading["cpu"] for reading in readings) > 0
    assert last["memory_each"] > (100_000 if model == "process" else 0)


def cpu(server: Server) -> float:
    """Processor seconds of the process tree."""
    return sum(sum(process.cpu_times()[:2]) for process in [server.process, *server.children()])
