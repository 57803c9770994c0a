"""A switch keeps the identity of members: the token, and the ids of lines without an answer."""

from itertools import permutations

import pytest

from protocol.messages import Model
from tests.running import RichPeer, Server

each_pair = pytest.mark.parametrize(("before", "after"), list(permutations([model.value for model in Model], 2)))


def returned(server: Server, who: RichPeer, after: int) -> RichPeer:
    """A client that returns with the token of `who`, and has seen all events up to `after`."""
    peer = server.rich_stranger()
    peer.hello(who.welcome["you"], resume={"token": who.welcome["token"], "after": after})
    return peer


@each_pair
def test_returning_member_is_known_by_its_token_after_a_switch(start_server, before: str, after: str) -> None:
    server: Server = start_server(before)
    boss, ada = server.operator(), server.rich("ada")
    boss.say("the last that ada hears")
    seq = ada.expect("said")["seq"]
    ada.reset()
    boss.say("before the switch")
    switched = boss.switch(after)
    boss.say("after the switch")
    last = boss.expect("said", text="after the switch")["seq"]

    again = returned(server, ada, seq)

    assert (again.welcome["resumed"], again.welcome["you"]) == (True, "ada")
    assert again.welcome.get("missed", 0) == 0
    missed = again.welcome["history"]
    assert [event["seq"] for event in missed] == list(range(seq + 1, again.welcome["seq"] + 1))
    assert again.welcome["seq"] >= last
    assert [event["text"] for event in missed if event["type"] == "said"] == ["before the switch", "after the switch"]
    assert switched in missed


@each_pair
def test_the_same_id_again_after_a_switch_gets_the_first_answer(start_server, before: str, after: str) -> None:
    server: Server = start_server(before)
    boss, ada, bob = server.operator(), server.rich("ada"), server.rich("bob")
    ada.say("once", id="line-1")
    first = ada.expect("said", id="line-1")
    ada.say("   ", id="line-2")
    refused = ada.expect("refused", id="line-2")
    boss.switch(after)

    ada.say("once", id="line-1")
    assert ada.expect("said", id="line-1") == first
    ada.say("   ", id="line-2")
    assert ada.expect("refused", id="line-2") == refused
    ada.reset()
    again = returned(server, ada, first["seq"])
    again.say("once", id="line-1")
    assert again.expect("said", id="line-1") == first
    again.say("the end", id="line-3")
    bob.expect("said", text="the end")
    assert sum('"once"' in line for line in bob.heard) == 1
