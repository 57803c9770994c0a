"""Tests of nicknames that two connections want, under each model."""

import threading

from tests.running import RichPeer, Server

ALIKE = {
    "the same": "paypal",
    "case": "PayPal",
    "width": "ｐａｙｐａｌ",
    "look-alike": "раураl",  # Cyrillic р, а, у
    "a digit for a letter": "paypa1",
    "with an invisible": "pay\u200dpal",
}


def test_two_ask_for_one_nickname_in_the_same_moment(room: Server) -> None:
    for round in range(10):
        peers = [room.rich_stranger() for _ in range(4)]
        gate = threading.Barrier(len(peers))

        def ask(peer: RichPeer, gate: threading.Barrier = gate, round: int = round) -> None:
            gate.wait()
            peer.command("hello", nick=f"ada{round}x")

        threads = [threading.Thread(target=ask, args=(peer,)) for peer in peers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        answers = [peer.event() for peer in peers]
        assert [answer["type"] for answer in answers].count("welcome") == 1
        refused = [answer for answer in answers if answer["type"] == "refused"]
        assert {answer["code"] for answer in refused} == {"nickname-taken"}
        assert all(answer["suggestion"] != f"ada{round}x" for answer in refused)


def test_nickname_requested_twice_at_once_goes_to_one(room: Server) -> None:
    watcher = room.rich("watcher")
    first, second = room.connect(), room.connect()
    first.send("ada\n")
    second.send("ada\n")
    watcher.sees("ada", "ada2")
    told = [peer.line() for peer in (first, second)] + [first.line(), second.line()]
    assert told.count("Connected to chat server") == 2
    assert sum("ada is taken, so you are ada2; /nick NAME changes it" in line for line in told) == 1


def test_a_variant_of_a_taken_nickname_is_not_given(room: Server) -> None:
    bob, other = room.rich("bob"), room.rich_stranger()
    room.rich("paypal")
    for kind, nick in ALIKE.items():
        other.command("hello", nick=nick)
        assert other.expect("refused")["code"] in ("nickname-taken", "bad-nickname"), kind
        bob.command("rename", nick=nick)
        assert bob.expect("refused")["code"] in ("nickname-taken", "bad-nickname"), kind
        plain = room.connect()
        plain.send(f"{nick}\n")
        told = plain.line()
        if told == "Connected to chat server":
            assert plain.line().endswith("; /nick NAME changes it"), kind
        else:
            assert told.startswith("*** a nickname "), kind
    bob.sees("paypal")
    assert set(ALIKE.values()) & set(bob.people()) == {"paypal"}


def test_a_nickname_is_free_again_once_its_owner_is_gone(room: Server) -> None:
    bob, ada = room.rich("bob"), room.rich("ada")
    bob.sees("ada")
    ada.close()
    bob.sees_no("ada")
    assert room.rich("ada").welcome["you"] == "ada"


def test_the_suggested_nickname_is_free(room: Server) -> None:
    room.rich("ada")
    other = room.rich_stranger()
    other.command("hello", nick="ada")
    suggestion = other.expect("refused")["suggestion"]
    assert other.hello(suggestion)["you"] == suggestion
