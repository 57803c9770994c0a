"""Tests of a server that listens on several addresses, under each model and across a switch of models."""

from collections.abc import Callable

from tests.peers import PlainPeer
from tests.running import Server

OTHER = {"process": "event", "thread": "process", "event": "thread"}


def test_all_addresses_lead_to_one_room_before_and_after_switch(start: Callable[..., Server], model: str) -> None:
    server = start("--bind", "127.0.0.2:0", "--bind", "127.0.0.3:0")
    assert [host for host, _ in server.other_addresses] == ["127.0.0.2", "127.0.0.3"]
    boss = server.operator()
    for round_of, running in enumerate((model, OTHER[model])):
        if running != model:
            boss.switch(running)
        for number, address in enumerate(server.other_addresses):
            peer = PlainPeer(address)
            peer.join(f"ada-{round_of}-{number}")
            peer.say("hello")
            boss.expect("said", nick=f"ada-{round_of}-{number}")
            peer.close()
