import pytest

from protocol.messages import Rules
from server.room import names
from server.room.member import Member
from server.room.moderation import MAX_KEPT, BanRecord, Moderation, format_minutes

NOW = 1000.0


def member(nick: str = "ada", token: str = "token", **fields: bool) -> Member:
    return Member(token, nick, names.keys(nick), **fields)


def barred(moderation: Moderation, nick: str, *, known: Member | None = None, host: str = "", now: float = NOW) -> str:
    """The refusal of a connection whose token proves that it is `known`."""
    goodbye = moderation.refuse_entry(known, names.keys(nick), host, now)
    return goodbye.code if goodbye else ""


def ban(moderation: Moderation, *, seconds: float = 60, address: str = "", nick: str = "ada") -> None:
    moderation.ban(BanRecord(nick, 7, "token", address, NOW + seconds), NOW)


def test_nothing_holds_at_first() -> None:
    moderation = Moderation()
    assert moderation.rules == Rules()
    assert not barred(moderation, "ada")
    assert moderation.refuse_speech(member(), "1", NOW) is None


def test_the_muted_is_not_heard_whatever_it_is_called() -> None:
    moderation = Moderation()
    moderation.mute("token", on=True)
    for nick in ("ada", "lovelace"):
        refused = moderation.refuse_speech(member(nick), "7", NOW)
        assert refused is not None
        assert (refused.code, refused.id, refused.wait) == ("muted", "7", 0)
    assert moderation.refuse_speech(member(token="another"), "7", NOW) is None


def test_in_the_quiet_only_operators_speak() -> None:
    moderation = Moderation()
    moderation.change(quiet=True)
    refused = moderation.refuse_speech(member(), "1", NOW)
    assert refused is not None
    assert refused.code == "quiet"
    assert moderation.refuse_speech(member(operator=True), "1", NOW) is None
    moderation.change(quiet=False)
    assert moderation.refuse_speech(member(), "1", NOW) is None


def test_slow_mode_tells_how_long_to_wait_and_keeps_to_it() -> None:
    moderation = Moderation()
    moderation.change(slow=30)
    assert moderation.refuse_speech(member(), "1", NOW) is None
    refused = moderation.refuse_speech(member(), "2", NOW + 12)
    assert refused is not None
    assert (refused.code, refused.wait) == ("slow-mode", 18)
    assert "18 s" in refused.reason
    assert moderation.refuse_speech(member(), "2", NOW + 12 + refused.wait) is None
    assert moderation.refuse_speech(member("bob", "other"), "1", NOW + 13) is None


def test_who_was_refused_by_slow_mode_does_not_wait_any_longer_for_it() -> None:
    moderation = Moderation()
    moderation.change(slow=10)
    assert moderation.refuse_speech(member(), "1", NOW) is None
    for second in range(1, 10):
        assert moderation.refuse_speech(member(), "2", NOW + second) is not None
    assert moderation.refuse_speech(member(), "2", NOW + 10) is None


def test_less_than_half_a_second_of_slow_mode_is_not_told_as_none() -> None:
    moderation = Moderation()
    moderation.change(slow=10)
    moderation.refuse_speech(member(), "1", NOW)
    refused = moderation.refuse_speech(member(), "2", NOW + 9.8)
    assert refused is not None
    assert "in 1 s" in refused.reason


def test_another_pace_holds_for_everybody_at_once() -> None:
    moderation = Moderation()
    moderation.change(slow=3600)
    assert moderation.refuse_speech(member(), "1", NOW) is None
    moderation.change(slow=5)
    assert moderation.refuse_speech(member(), "2", NOW + 1) is None
    assert moderation.refuse_speech(member(), "3", NOW + 2) is not None


def test_what_is_laid_down_leaves_the_rest_as_it_was() -> None:
    moderation = Moderation()
    moderation.change(locked=True)
    moderation.change(pin="questions at the end")
    assert moderation.change(slow=5) == Rules(locked=True, slow=5, pin="questions at the end")


def test_a_locked_room_lets_in_only_whom_it_knows() -> None:
    moderation = Moderation()
    moderation.change(locked=True)
    assert barred(moderation, "ada") == "locked"
    assert not barred(moderation, "ada", known=member())


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
    ban(moderation, address="192.0.2.7")
    assert barred(moderation, nick, host=host, known=member(token=token) if token else None) == code


def test_a_ban_without_an_address_does_not_hold_for_the_neighbours() -> None:
    moderation = Moderation()
    ban(moderation)
    assert not barred(moderation, "bob", host="")
    assert not barred(moderation, "bob", host="192.0.2.7")


@pytest.mark.parametrize(
    ("passed", "left"),
    [(0, "10 minutes"), (30, "10 minutes"), (539.5, "2 minutes"), (540, "1 minute"), (599, "1 second")],
)
def test_a_ban_ends_and_tells_how_long_it_still_holds(passed: float, left: str) -> None:
    moderation = Moderation()
    ban(moderation, seconds=600)
    goodbye = moderation.refuse_entry(None, names.keys("ada"), "", NOW + passed)
    assert goodbye is not None
    assert goodbye.reason == f"you are banned for another {left}"
    assert moderation.refuse_entry(None, names.keys("ada"), "", NOW + 600) is None


def test_who_shares_an_address_that_is_banned_is_not_told_to_be_banned_itself() -> None:
    moderation = Moderation()
    ban(moderation, address="192.0.2.7")
    goodbye = moderation.refuse_entry(None, names.keys("bob"), "192.0.2.7", NOW)
    assert goodbye is not None
    assert goodbye.reason == "your address is banned for another 1 minute"


def test_a_ghost_without_a_nickname_can_be_banned_by_its_address() -> None:
    moderation = Moderation()
    moderation.ban(BanRecord("connection 7", 7, "", "192.0.2.7", NOW + 60), NOW)
    assert barred(moderation, "anybody", host="192.0.2.7") == "banned"
    assert not barred(moderation, "connection-7")
    assert moderation.unban("#7", NOW) == "connection 7"
    assert not barred(moderation, "anybody", host="192.0.2.7")


@pytest.mark.parametrize("name", ["ada", "ADA", "#7"])
def test_a_ban_is_lifted_with_all_that_it_kept_out(name: str) -> None:
    moderation = Moderation()
    ban(moderation, address="192.0.2.7")
    ban(moderation)
    assert moderation.unban(name, NOW) == "ada"
    assert not barred(moderation, "ada", known=member(), host="192.0.2.7")


@pytest.mark.parametrize("name", ["bob", "", "#", "#8", "#" + "9" * 30])
def test_who_is_not_banned_cannot_be_let_in_again(name: str) -> None:
    moderation = Moderation()
    ban(moderation)
    assert moderation.unban(name, NOW) == ""
    assert barred(moderation, "ada") == "banned"
    assert moderation.unban("ada", NOW + 61) == ""


def test_an_operator_who_comes_back_is_let_in_whatever_holds() -> None:
    """Otherwise the host of a locked room could not return to unlock it."""
    moderation = Moderation()
    moderation.change(locked=True)
    ban(moderation, address="192.0.2.7")
    assert not barred(moderation, "ada", known=member(operator=True), host="192.0.2.7")


def test_nothing_is_remembered_without_bound() -> None:
    moderation = Moderation()
    moderation.change(slow=1)
    for number in range(MAX_KEPT + 10):
        moderation.mute(f"token {number}", on=True)
        moderation.ban(BanRecord("ada", number, "token", "", NOW + 2 * MAX_KEPT), NOW)
        moderation.refuse_speech(member(token=f"other {number}"), "", NOW + number)
    assert len(moderation._muted) == len(moderation._banned) == MAX_KEPT
    assert moderation.refuse_speech(member(token=f"token {MAX_KEPT}"), "", NOW) is not None
    assert len(moderation._next_line_at) <= 2
    moderation.ban(BanRecord("ada", 1, "token", "", NOW + 3 * MAX_KEPT), NOW + 2 * MAX_KEPT)
    assert len(moderation._banned) == 1


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(1, "1 minute"), (60, "60 minutes"), (1.5, "1.5 minutes"), (0.5, "30 seconds"), (0.001, "1 second")],
)
def test_how_long_is_told_in_the_right_number(minutes: float, words: str) -> None:
    assert format_minutes(minutes) == words


def test_a_nickname_is_kept_by_the_muted_and_in_silence_by_all_but_operators() -> None:
    moderation, ada, boss = Moderation(), Member("a", "ada"), Member("b", "boss", operator=True)
    assert moderation.refuse_renaming(ada) is None
    moderation.mute("a", on=True)
    assert (refused := moderation.refuse_renaming(ada)) is not None
    assert refused.code == "muted"
    moderation.mute("a", on=False)
    moderation.change(quiet=True)
    assert (refused := moderation.refuse_renaming(ada)) is not None
    assert refused.code == "quiet"
    assert moderation.refuse_renaming(boss) is None
