"""Tests that a broken connection loses and repeats no line, under each model."""

from tests.running import RichPeer, Server


def resume(server: Server, peer: RichPeer, after: int, token: str = "") -> RichPeer:
    token = token or peer.welcome["token"]
    return server.rich("whoever", resume={"token": token, "after": after})


def test_the_same_id_twice_is_answered_twice_and_delivered_once(room: Server) -> None:
    ada, bob = room.rich("ada"), room.rich("bob")
    ada.say("once", id="x")
    first = ada.expect("said", id="x")
    ada.say("twice", id="x")
    assert ada.expect("said", id="x") == first
    ada.say("end", id="y")
    assert bob.expect("said")["text"] == "once"
    assert bob.expect("said")["text"] == "end"


def test_the_same_id_from_two_people_is_two_lines(room: Server) -> None:
    ada, bob = room.rich("ada"), room.rich("bob")
    ada.say("mine", id="x")
    ada.expect("said", text="mine")
    bob.say("mine too", id="x")
    ada.expect("said", text="mine too", nick="bob")


def test_resume_brings_exactly_the_missed_events(start) -> None:
    server: Server = start()
    ada, bob = server.rich("ada"), server.rich("bob")
    bob.sees("ada")
    bob.say("heard", id="1")
    after = ada.expect("said", text="heard")["seq"]
    ada.reset()
    bob.sees_no("ada")
    for number in range(30):
        bob.say(f"missed {number}")
    bob.sync()
    back = resume(server, ada, after)
    welcome = back.welcome
    assert welcome["you"] == "ada" or welcome["you"] == "whoever"
    assert welcome["resumed"] is True
    assert "missed" not in welcome
    assert [event["seq"] for event in welcome["history"]] == list(range(after + 1, welcome["seq"] + 1))
    assert [e["text"] for e in welcome["history"] if e["type"] == "said"] == [f"missed {n}" for n in range(30)]
    bob.say("and on")
    assert back.expect("said")["seq"] > welcome["seq"]


def test_resume_beyond_the_history_tells_the_gap(start) -> None:
    server: Server = start("--keep", "10")
    ada, bob = server.rich("ada"), server.rich("bob")
    bob.sees("ada")
    ada.sync()
    ada.close()
    bob.sees_no("ada")
    for number in range(50):
        bob.say(f"{number}")
    bob.sync()
    welcome = resume(server, ada, ada.welcome["seq"]).welcome
    assert len(welcome["history"]) == 10
    assert welcome["history"][0]["seq"] == ada.welcome["seq"] + welcome["missed"] + 1


def test_a_made_up_token_makes_somebody_new(room: Server) -> None:
    bob = room.rich("bob")
    eve = room.rich("eve", resume={"token": "made up", "after": 10**15})
    assert eve.welcome["you"] == "eve"
    assert not eve.welcome.get("resumed")
    assert eve.welcome["token"] not in ("made up", bob.welcome["token"])


def test_resume_from_the_future_brings_nothing(room: Server) -> None:
    bob, ada = room.rich("bob"), room.rich("ada")
    bob.sees("ada")
    ada.close()
    bob.sees_no("ada")
    back = resume(room, ada, 10**15)
    assert not back.welcome.get("history")
    bob.say("hello")
    back.expect("said", text="hello")


def test_a_line_sent_again_after_coming_back_is_not_said_twice(room: Server) -> None:
    ada, bob = room.rich("ada"), room.rich("bob")
    ada.say("only once", id="x")
    seq = bob.expect("said", text="only once")["seq"]
    ada.reset()
    back = resume(room, ada, seq - 1)
    back.say("only once", id="x")
    assert back.expect("said", id="x")["seq"] == seq
    back.say("end")
    assert bob.expect("said")["text"] == "end"


def test_resume_before_the_old_connection_ends_takes_it_over(room: Server) -> None:
    ada, bob = room.rich("ada"), room.rich("bob")
    ada.sync()
    back = resume(room, ada, ada.welcome["seq"])
    assert ada.expect("goodbye")["code"] == "taken-over"
    back.say("it is me")
    bob.expect("said", text="it is me")
    back.command("who")
    assert len(back.expect("people")["people"]) == 2
