"""Tests of the state that a room restores after its server has died."""

import errno
from functools import partial

import msgspec
import pytest

from protocol.messages import (
    Ban,
    Bans,
    Goodbye,
    Lock,
    Mute,
    Notice,
    Op,
    OperatorGranted,
    Pin,
    Quiet,
    Refused,
    Rename,
    Rules,
    Slow,
    Unban,
    Welcome,
)
from server.room.restart import StateKeeper, restore
from server.room.state import find_target
from tests.server.guests import Party, only
from tests.server.without_sockets import new_room

STILL = "the server was started again, and these rules still hold: "


def reasons(goodbyes: list[Goodbye]) -> list[str]:
    return [goodbye.reason for goodbye in goodbyes]


def told(party: Party) -> list[str]:
    """The notice that the operator got about the earlier room."""
    notices = only(Notice, party.told_at_first)
    return [notice.text for notice in notices if notice.text.startswith("the server was started again")]


def test_restart_of_a_room_with_rules_restores_and_announces() -> None:
    party = Party()
    party.order(Slow(5), Pin("no spoilers"), Quiet(), Lock())
    party.step()
    again = Party(before=party)
    assert again.room.moderation.rules == Rules(locked=True, quiet=True, slow=5, pin="no spoilers")
    sentence = f"{STILL}the room is locked, only operators speak, a line every 5 s from each of you, the pinned line"
    assert told(again) == [sentence]
    assert only(OperatorGranted, again.told_at_first)
    again.order(Lock(on=False))
    again.join("ada")
    again.prove("ada")
    assert told(again) == [sentence], "once"


def test_restart_of_a_room_without_rules_says_nothing() -> None:
    party = Party()
    party.join("ada")
    party.step(2)
    again = Party(before=party)
    assert told(again) == []
    assert again.room.moderation.rules == Rules()


def test_restart_lets_bans_run_down_meanwhile() -> None:
    party = Party()
    for nick, minutes, host in (("ada", 1, "192.0.2.6"), ("bob", 10, "192.0.2.7")):
        party.join(nick, host=host)
        party.order(Ban(nick, minutes, address=True))
    again = Party(before=party, dead_for=90)
    assert told(again) == [f"{STILL}1 ban"]
    (bans,) = only(Notice, again.order(Bans()))
    assert "bob (#3) and all from 192.0.2.7 for another 9 minutes" in bans.text
    assert "ada" not in bans.text
    assert reasons(only(Goodbye, again.join("bob"))) == ["you are banned for another 9 minutes"]
    assert reasons(only(Goodbye, again.join("eve", token=party.tokens["bob"]))) == [
        "you are banned for another 9 minutes"
    ]
    assert reasons(only(Goodbye, again.join("eve", host="192.0.2.7"))) == [
        "your address is banned for another 9 minutes"
    ]
    again.order(Unban("bob"))
    assert only(Welcome, again.join("ada", host="192.0.2.6", token=party.tokens["ada"]))


def test_restart_lets_members_back_into_a_locked_room() -> None:
    party = Party()
    party.join("ada")
    party.join("bob")
    party.order(Lock())
    party.close(party.numbers["bob"])
    party.step(2)
    again = Party(before=party)
    (welcome,) = only(Welcome, again.join("ada", token=party.tokens["ada"]))
    assert (welcome.resumed, welcome.token) == (False, party.tokens["ada"]), "what it heard before is not kept"
    assert only(Welcome, again.join("bob", token=party.tokens["bob"]))
    assert [goodbye.code for goodbye in only(Goodbye, again.join("eve"))] == ["locked"]
    assert [goodbye.code for goodbye in only(Goodbye, again.join("eve", token="made-up"))] == ["locked"]


def test_restart_keeps_members_and_addresses_muted() -> None:
    party = Party()
    party.join("ada", host="192.0.2.7")
    party.order(Mute("ada", address=True))
    again = Party(before=party)
    assert told(again) == [f"{STILL}1 mute, 1 muted address"]
    again.join("ada", token=party.tokens["ada"])
    again.join("eve", host="192.0.2.7")
    for nick in ("ada", "eve"):
        refused = again.say(nick, "psst")
        assert refused is not None
        assert refused.code == "muted"
    assert only(Refused, again.ask("ada", Rename("lovelace")))
    again.order(Mute("ada", on=False))
    assert again.say("ada", "at last") is None


def test_unmute_of_a_forgotten_member_lifts_its_mutes() -> None:
    """A former member is found for ten minutes."""
    party = Party()
    party.join("ada", host="192.0.2.7")
    party.order(Mute("ada", address=True))
    party.close(party.numbers["ada"])
    party.later(3600)
    assert isinstance(find_target(party.room, "ada", party.now), Refused)
    assert "boss unmuted ada" in [notice.text for notice in only(Notice, party.order(Mute("ada", on=False)))]
    party.join("ada", host="192.0.2.7", token=party.tokens["ada"])
    assert party.say("ada", "at last") is None
    assert [refused.code for refused in only(Refused, party.order(Mute("zoe", on=False)))] == ["unknown-person"]


def test_restart_keeps_appointed_operators_but_no_proofs() -> None:
    party = Party()
    party.join("ada")
    party.order(Op("ada"))
    party.join("chief")
    party.prove("chief")
    party.step(2)
    again = Party(before=party)
    assert told(again) == [f"{STILL}1 appointed operator"]
    again.join("ada", token=party.tokens["ada"])
    assert again.is_operator("ada")
    again.join("chief", token=party.tokens["chief"])
    assert not again.is_operator("chief")
    again.order(Op("ada", on=False))
    assert not again.is_operator("ada")


def test_restart_finds_members_that_were_there_for_ten_minutes() -> None:
    party = Party()
    party.join("ada", host="192.0.2.7")
    party.later(2)
    again = Party(before=party, dead_for=60)
    again.order(Ban("ada", address=True))
    assert [goodbye.code for goodbye in only(Goodbye, again.join("eve", host="192.0.2.7"))] == ["banned"]
    late = Party(before=party, dead_for=601)
    assert [refused.code for refused in only(Refused, late.order(Ban("ada")))] == ["unknown-person"]


def test_restart_twice_keeps_the_first_state() -> None:
    party = Party()
    party.join("ada")
    party.order(Lock(), Ban("ada", 60))
    party = Party(before=party)
    party.step(2)
    again = Party(before=party, dead_for=600)
    assert told(again) == [f"{STILL}the room is locked, 1 ban"]


def test_state_that_cannot_be_written_is_logged_once_and_retried() -> None:
    party = Party()
    written: list[bytes] = []
    is_full = True

    def write(state: bytes) -> None:
        if is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(state)

    party.room.save_state = partial(StateKeeper(write).save_if_due, party.room)
    party.order(Lock())
    party.order(Quiet())
    words = "the rules would be lost if the server died now: No space left on device"
    assert party.journal.count(words) == 1
    is_full = False
    party.order(Slow(5))
    assert b'"locked":true' in written[-1]


@pytest.mark.parametrize("state", [b"", b"{", b"[]", b'{"moderation":{},"members":[]}', b"\xff" * 99])
def test_restore_of_no_state_leaves_the_room_as_it_was(state: bytes) -> None:
    room = new_room()
    with pytest.raises(msgspec.DecodeError):
        restore(room, state)
    assert not room.is_restored
    assert room.moderation.rules == Rules()
