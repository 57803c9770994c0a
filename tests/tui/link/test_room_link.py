"""The link between a client and a real room, with connections that break."""

import asyncio
import errno
import math
import os
import signal
from time import monotonic

import pytest

from protocol.messages import (
    Model,
    ModelSwitched,
    Notice,
    OperatorGranted,
    People,
    Pong,
    Refused,
    Rename,
    Said,
    Switch,
    Welcome,
    Who,
)
from tests import running
from tests.pace import is_within
from tests.running import OPERATOR_KEY
from tests.tui.conftest import Join, OpenRelay, StartServer
from tests.tui.links import address_of, until
from tui.address import Address
from tui.link import batcher, pings, room_link
from tui.link.room_link import LinkState, RoomLink

MODELS = list(Model)
each_model = pytest.mark.parametrize("model", MODELS)


@each_model
async def test_two_links_talk(start_server: StartServer, join: Join, model: Model) -> None:
    server = start_server(model)
    ada, bob = join(address_of(server), "ada"), join(address_of(server), "bob")
    await ada.online()
    await bob.online()
    id = ada.link.say("hello")
    await bob.hears("hello")
    await until(lambda: not ada.link.client.unacknowledged, "the line is acknowledged")
    await ada.hears("hello")
    assert [event.id for event in ada.events if isinstance(event, Said)] == [id]
    await until(lambda: ada.link.client.people == {"ada", "bob"}, "both are told to be here")
    await until(lambda: ada.link.round_trip is not None, "the round trip is known")
    assert ada.link.round_trip is not None
    assert ada.link.round_trip > 0
    assert is_within(ada.link.round_trip, 5)
    assert any(isinstance(event, People) for event in ada.events)
    assert not any(isinstance(event, Pong) for event in ada.events)


@each_model
async def test_a_broken_connection_is_resumed_without_loss_or_double(
    start_server: StartServer, join: Join, open_relay: OpenRelay, model: Model
) -> None:
    server = start_server(model)
    between = await open_relay(server)
    ada = join(between.address, "ada")
    await ada.online()
    bob = server.rich("bob")
    bob.say("before")
    await ada.hears("before")
    between.cut()
    await until(lambda: ada.link.state.phase != "online", "the break is noticed")
    for number in range(20):
        bob.say(f"line {number}")
    ada.link.say("mine")
    bob.sync()
    between.mend()
    ada.link.retry_now()
    await ada.hears("mine")
    assert ada.said == ["before", *(f"line {number}" for number in range(20)), "mine"]
    assert ada.gaps == []
    assert bob.expect("said", text="mine")["nick"] == "ada"


@each_model
async def test_link_line_with_lost_acknowledgement_is_said_once(
    start_server: StartServer, join: Join, open_relay: OpenRelay, model: Model
) -> None:
    server = start_server(model)
    between = await open_relay(server)
    ada = join(between.address, "ada")
    await ada.online()
    bob = server.rich("bob")
    between.deaf = True
    ada.link.say("only once")
    await asyncio.to_thread(bob.expect, "said", text="only once")
    assert ada.link.client.unacknowledged
    between.cut()
    between.mend()
    await until(lambda: not ada.link.client.unacknowledged, "the line is acknowledged in the end")
    ada.link.say("after")
    await ada.hears("after")
    assert bob.expect("said")["text"] == "after"
    assert ada.said == ["only once", "after"]


async def test_link_reports_dropped_events_as_a_gap(
    start_server: StartServer, join: Join, open_relay: OpenRelay
) -> None:
    server = start_server("event", "--keep", "5")
    between = await open_relay(server)
    ada = join(between.address, "ada")
    await ada.online()
    bob = server.rich("bob")
    bob.say("before")
    await ada.hears("before")
    between.cut()
    await until(lambda: ada.link.state.phase != "online", "the break is noticed")
    for number in range(20):
        bob.say(f"line {number}")
    bob.sync()
    between.mend()
    await ada.hears("line 19")
    [missed] = ada.gaps
    kept = [text for text in ada.said if text.startswith("line")]
    assert kept == [f"line {number}" for number in range(20 - len(kept), 20)]
    assert len(kept) <= 5
    # In addition to the lines, ada's own departure and return are events.
    assert missed is not None
    assert missed >= 20 - len(kept)


@each_model
async def test_link_after_server_restart_says_waiting_lines(
    start_server: StartServer, join: Join, model: Model
) -> None:
    first = start_server(model)
    ada = join(address_of(first), "ada")
    await ada.online()
    ada.link.say("to the first")
    await ada.hears("to the first")
    first.close()
    await until(lambda: ada.link.state.phase == "waiting", "the end is noticed")
    assert ada.link.state.retry_at > 0
    ada.link.say("typed meanwhile")
    second = start_server(model, "--bind", f"127.0.0.1:{first.address[1]}")
    bob = second.rich("bob")
    ada.link.retry_now()
    await ada.hears("typed meanwhile")
    bob.expect("said", text="typed meanwhile")
    assert ada.gaps == [None]
    assert ada.said.count("typed meanwhile") == 1


async def test_the_goodbye_of_a_server_that_ends_is_the_reason_told(start_server: StartServer, join: Join) -> None:
    server = start_server()
    ada = join(address_of(server), "ada")
    await ada.online()
    server.terminate()
    await until(lambda: ada.link.state.phase == "waiting", "the end is noticed")
    assert ada.link.state.reason
    assert ada.link.state.reason != "the room closed the connection"


async def test_link_nickname_taken_meanwhile_is_replaced(start_server: StartServer, join: Join) -> None:
    first = start_server()
    ada = join(address_of(first), "ada")
    await ada.online()
    first.close()
    await until(lambda: ada.link.state.phase == "waiting", "the end is noticed")
    second = start_server("event", "--bind", f"127.0.0.1:{first.address[1]}")
    second.rich("ada")
    ada.link.retry_now()
    await ada.online()
    assert ada.link.client.nick != "ada"
    assert ada.notes == [f"ada is taken by now, so you are {ada.link.client.nick}"]
    assert not any(isinstance(event, Notice) and "taken" in event.text for event in ada.events), "the room's own words"
    assert not any(isinstance(event, Refused) for event in ada.events)


async def test_a_first_nickname_that_is_taken_is_asked_again(start_server: StartServer, join: Join) -> None:
    server = start_server()
    server.rich("ada")
    ada = join(address_of(server), "ada")
    await until(lambda: ada.events, "the refusal")
    [refused] = ada.events
    assert isinstance(refused, Refused)
    assert refused.code == "nickname-taken"
    assert ada.link.state.phase == "connecting"
    ada.link.try_nick(refused.suggestion)
    await ada.online()
    assert ada.link.client.nick == refused.suggestion


async def test_link_slow_answer_to_nickname_question_still_joins(start_server: StartServer, join: Join) -> None:
    server = start_server("event", "--join-timeout", "0.3")
    server.rich("ada")
    ada = join(address_of(server), "ada")
    await until(lambda: ada.link.state.phase == "waiting", "the room has stopped waiting")
    assert ada.link.state.retry_at == math.inf
    ada.link.try_nick("cleo")
    await ada.online()
    assert ada.link.client.nick == "cleo"


async def test_link_flood_arrives_complete_in_few_batches(start_server: StartServer, join: Join) -> None:
    server = start_server()
    ada = join(address_of(server), "ada")
    await ada.online()
    bob = server.rich("bob")
    bob.say("first of a quiet time")
    await ada.hears("first of a quiet time")
    before, began = len(ada.batches), monotonic()
    bob.send("".join(f'{{"type":"say","id":"","text":"line {number}"}}\n' for number in range(5000)))
    await ada.hears("line 4999")
    took = monotonic() - began
    assert ada.said[-5000:] == [f"line {number}" for number in range(5000)]
    assert len(ada.batches) - before <= took * room_link.MAX_BATCHES_PER_S + 5000 / batcher.MAX_BATCH_ITEMS + 2
    assert max(map(len, ada.batches)) <= batcher.MAX_BATCH_ITEMS


async def test_the_first_line_of_a_quiet_time_is_not_held_back(start_server: StartServer, join: Join) -> None:
    server = start_server()
    ada = join(address_of(server), "ada")
    await ada.online()
    bob = server.rich("bob")
    await until(lambda: "bob" in ada.link.client.people, "bob is told")
    waits = []
    for number in range(5):
        await asyncio.sleep(2 / room_link.MAX_BATCHES_PER_S)
        began = monotonic()
        bob.say(f"line {number}")
        await ada.hears(f"line {number}")
        waits.append(monotonic() - began)
    # The status after bob joined may delay one of them; if batched, each would take a twelfth of a second.
    assert is_within(min(waits), 1 / room_link.MAX_BATCHES_PER_S)


async def test_a_second_connection_of_the_same_person_ends_the_first(start_server: StartServer, join: Join) -> None:
    server = start_server()
    ada = join(address_of(server), "ada")
    await ada.online()
    server.rich("ada", resume={"token": ada.link.client.token, "after": 0})
    await asyncio.wait_for(ada.running, running.PATIENCE)
    assert ada.link.state.phase == "over"
    assert ada.link.goodbye is not None
    assert ada.link.goodbye.code == "taken-over"


async def test_link_that_runs_again_after_a_goodbye_resumes_the_session(start_server: StartServer, join: Join) -> None:
    server = start_server()
    boss = server.operator()
    ada = join(address_of(server), "ada")
    await ada.online()
    boss.command("kick", nick="ada", reason="for a test")
    await asyncio.wait_for(ada.running, running.PATIENCE)
    assert "for a test" in ada.link.state.reason
    boss.say("missed")
    ada.link.say("kept")
    ada.running = asyncio.create_task(ada.link.run())
    await ada.hears("missed")
    await ada.hears("kept")
    assert [state.phase for state in ada.states] == ["online", "over", "connecting", "online"]
    assert ada.link.goodbye is None
    assert ada.gaps == []


@each_model
async def test_close_says_goodbye_and_ends_the_run(start_server: StartServer, join: Join, model: Model) -> None:
    server = start_server(model)
    bob = server.rich("bob")
    ada = join(address_of(server), "ada")
    await ada.online()
    bob.expect_presence(joined=["ada"])
    await ada.link.close()
    bob.expect_presence(left=["ada"])
    assert ada.running.done() or await asyncio.wait_for(ada.running, running.PATIENCE) is None
    assert [state.phase for state in ada.states][-2:] == ["online", "over"]
    assert ada.link.goodbye is not None
    assert ada.link.goodbye.code == "quit"


async def test_link_close_without_a_connection_returns_at_once(join: Join, free_port: int) -> None:
    ada = join(Address("127.0.0.1", free_port), "ada")
    await until(lambda: ada.link.state.phase == "waiting", "a failed attempt")
    assert ada.link.state.reason == "nobody listens there"
    began = monotonic()
    await ada.link.close()
    await ada.running
    assert is_within(monotonic() - began, 1)
    assert not ada.link.entered


async def test_a_host_that_does_not_exist_is_told_in_plain_words(join: Join) -> None:
    ada = join(Address("no-such-host.invalid"), "ada")
    await until(lambda: ada.link.state.phase == "waiting", "a failed attempt")
    assert ada.link.state.reason == "there is no such host"


async def test_a_name_with_several_addresses_fails_in_plain_words(join: Join, free_port: int) -> None:
    ada = join(Address("localhost", free_port), "ada")
    await until(lambda: ada.link.state.phase == "waiting", "a failed attempt")
    assert ada.link.state.reason == "nobody listens there"


async def test_link_callback_error_is_raised_by_run(start_server: StartServer) -> None:
    def fail(events: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    states: list[LinkState] = []
    link = RoomLink(address_of(start_server()), "ada", on_events=fail, on_state=states.append)
    with pytest.raises(OSError, match="No space left"):
        await asyncio.wait_for(link.run(), running.PATIENCE)
    assert [state.phase for state in states] == ["online", "over"]


async def test_a_frozen_server_is_noticed_and_found_again(
    start_server: StartServer, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pings, "PING_INTERVAL_S", 0.2)
    server = start_server()
    ada = join(address_of(server), "ada")
    await ada.online()
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        await until(lambda: ada.link.state.phase == "waiting", "silence is noticed")
        assert ada.link.state.reason == "nothing was heard from the room for a while"
        assert ada.link.round_trip is None
        ada.link.say("into the silence")
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    await ada.hears("into the silence")
    assert ada.gaps == []


@each_model
async def test_link_operator_stays_operator_after_server_restart(
    start_server: StartServer, join: Join, model: Model
) -> None:
    first = start_server(model)
    ada = join(address_of(first), "ada")
    ada.link.operator(OPERATOR_KEY.encode())
    await until(lambda: any(isinstance(event, OperatorGranted) for event in ada.events), "the proof is taken")
    other = next(one for one in MODELS if one != model)
    ada.link.send_command(Switch(other))
    await until(lambda: any(isinstance(e, ModelSwitched) and e.model == other for e in ada.events), "the switch")
    first.close()
    await until(lambda: ada.link.state.phase == "waiting", "the end is noticed")
    start_server(model, "--bind", f"127.0.0.1:{first.address[1]}")
    ada.link.retry_now()
    await until(lambda: sum(isinstance(event, OperatorGranted) for event in ada.events) == 2, "it is proved anew")


async def test_link_drops_requests_while_offline(start_server: StartServer, join: Join, open_relay: OpenRelay) -> None:
    server = start_server()
    between = await open_relay(server)
    ada = join(between.address, "ada")
    await ada.online()
    between.cut()
    await until(lambda: ada.link.state.phase != "online", "the break is noticed")
    ada.link.send_command(Rename("cleo"))
    ada.link.send_command(Who())
    ada.link.send_command(Switch("thread"))
    between.mend()
    await ada.online()
    ada.link.say("back")
    await ada.hears("back")
    assert ada.link.client.nick == "ada"
    assert sum(isinstance(event, Welcome) for event in ada.events) == 2
    assert not any(isinstance(event, Refused) for event in ada.events)
