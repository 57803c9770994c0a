import pytest

from protocol.messages import Rules
from server.room import names
from server.room.member import Member
from server.room.moderation import Moderation

NOW = 1000.0


def member(nick: str = "ada", token: str = "token", **fields: bool) -> Member:
    return Member(token, nick, names.keys(nick), **fields)


def barred(moderation: Moderation, nick: str, *, token: str = "", host: str = "", known: bool = False) -> str:
    goodbye = moderation.bar(token, names.keys(nick), host, known, NOW)
    return goodbye.code if goodbye else ""


def test_nothing_holds_at_first() -> None:
    moderation = Moderation()
    assert moderation.rules == Rules()
    assert not barred(moderation, "ada")
    assert moderation.hush(member(), "1", NOW) is None


def test_the_muted_is_not_heard_whatever_it_is_called() -> None:
    moderation = Moderation()
    moderation.muted.add("token")
    for nick in ("ada", "lovelace"):
        refused = moderation.hush(member(nick), "7", NOW)
        assert refused is not None
        assert (refused.code, refused.id, refused.wait) == ("muted", "7", 0)
    assert moderation.hush(member(token="another"), "7", NOW) is None


def test_in_the_quiet_only_operators_speak() -> None:
    moderation = Moderation()
    moderation.change(quiet=True)
    refused = moderation.hush(member(), "1", NOW)
    assert refused is not None
    assert refused.code == "quiet"
    assert moderation.hush(member(operator=True), "1", NOW) is None
    moderation.change(quiet=False)
    assert moderation.hush(member(), "1", NOW) is None


def test_slow_mode_tells_how_long_to_wait_and_keeps_to_it() -> None:
    moderation = Moderation()
    moderation.change(slow=30)
    assert moderation.hush(member(), "1", NOW) is None
    refused = moderation.hush(member(), "2", NOW + 12)
    assert refused is not None
    assert (refused.code, refused.wait) == ("slow-mode", 18)
    assert "18 s" in refused.reason
    assert moderation.hush(member(), "2", NOW + 12 + refused.wait) is None
    assert moderation.hush(member("bob", "other"), "1", NOW + 13) is None


def test_who_was_refused_by_slow_mode_does_not_wait_any_longer_for_it() -> None:
    moderation = Moderation()
    moderation.change(slow=10)
    assert moderation.hush(member(), "1", NOW) is None
    for second in range(1, 10):
        assert moderation.hush(member(), "2", NOW + second) is not None
    assert moderation.hush(member(), "2", NOW + 10) is None


def test_less_than_half_a_second_of_slow_mode_is_not_told_as_none() -> None:
    moderation = Moderation()
    moderation.change(slow=10)
    moderation.hush(member(), "1", NOW)
    refused = moderation.hush(member(), "2", NOW + 9.8)
    assert refused is not None
    assert "in 1 s" in refused.reason


def test_another_pace_holds_for_everybody_at_once() -> None:
    moderation = Moderation()
    moderation.change(slow=3600)
    assert moderation.hush(member(), "1", NOW) is None
    moderation.change(slow=5)
    assert moderation.hush(member(), "2", NOW + 1) is None
    assert moderation.hush(member(), "3", NOW + 2) is not None


def test_what_is_laid_down_leaves_the_rest_as_it_was() -> None:
    moderation = Moderation()
    moderation.change(locked=True)
    moderation.change(pin="questions at the end")
    assert moderation.change(slow=5) == Rules(locked=True, slow=5, pin="questions at the end")


def test_a_locked_room_lets_in_only_whom_it_knows() -> None:
    moderation = Moderation()
    moderation.change(locked=True)
    assert barred(moderation, "ada") == "locked"
    assert not barred(moderation, "ada", token="token", known=True)


@pytest.mark.parametrize(
    ("nick", "token", "host", "code"),
    [
        ("ada", "", "", "banned"),
        ("ADA", "", "", "banned"),
        ("аda", "", "", "banned"),  # the first letter is Cyrillic
        ("another", "token", "", "banned"),
        ("another", "", "192.0.2.7", "banned"),
        ("another", "", "192.0.2.8", ""),
    ],
)
def test_a_ban_keeps_out_the_member_its_nickname_and_its_address(nick: str, token: str, host: str, code: str) -> None:
    moderation = Moderation()
    moderation.ban(member(), "192.0.2.7", NOW + 60)
    assert barred(moderation, nick, token=token, host=host, known=bool(token)) == code


def test_a_ban_without_an_address_does_not_hold_for_the_neighbours() -> None:
    moderation = Moderation()
    moderation.ban(member(), "", NOW + 60)
    assert not barred(moderation, "bob", host="")
    assert not barred(moderation, "bob", host="192.0.2.7")


def test_a_ban_ends_and_tells_how_long_it_still_holds() -> None:
    moderation = Moderation()
    moderation.ban(member(), "", NOW + 600)
    goodbye = moderation.bar("", names.keys("ada"), "", False, NOW)
    assert goodbye is not None
    assert "10 more minutes" in goodbye.reason
    assert moderation.bar("", names.keys("ada"), "", False, NOW + 600) is None


def test_a_ghost_without_a_nickname_can_be_banned_by_its_address() -> None:
    moderation = Moderation()
    moderation.ban(None, "192.0.2.7", NOW + 60)
    assert barred(moderation, "anybody", host="192.0.2.7") == "banned"
