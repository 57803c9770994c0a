import pytest

from protocol.messages import Limits, Refused, Rename, Rules, Said, Say
from server.room import names
from server.room.moderation import (
    ESTABLISHED_BURST,
    MAX_KEPT,
    NEWCOMER_BURST,
    NEWCOMER_RATE,
    BanRecord,
    LineLimits,
    Moderation,
    format_minutes,
)
from server.room.roster import ESTABLISHED_S, Member
from tests.server.guests import Party, only

NOW = 1000.0
LIMITS = Limits()
HOST = "192.0.2.7"


def member(nick: str = "ada", token: str = "token", **fields: float) -> Member:
    return Member(token, nick, names.keys(nick), **fields)  # type: ignore[arg-type]  # Some are flags.


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


def test_muted_member_is_not_heard_under_any_nickname() -> None:
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


def test_slow_mode_refusal_does_not_prolong_the_wait() -> None:
    moderation = Moderation()
    moderation.change(slow=10)
    assert moderation.refuse_speech(member(), "1", NOW) is None
    for second in range(1, 10):
        assert moderation.refuse_speech(member(), "2", NOW + second) is not None
    assert moderation.refuse_speech(member(), "2", NOW + 10) is None


def test_slow_mode_below_half_a_second_is_described() -> None:
    moderation = Moderation()
    moderation.change(slow=10)
    moderation.refuse_speech(member(), "1", NOW)
    refused = moderation.refuse_speech(member(), "2", NOW + 9.8)
    assert refused is not None
    assert "in 1 s" in refused.reason


def test_slow_mode_change_applies_to_all_at_once() -> None:
    moderation = Moderation()
    moderation.change(slow=3600)
    assert moderation.refuse_speech(member(), "1", NOW) is None
    moderation.change(slow=5)
    assert moderation.refuse_speech(member(), "2", NOW + 1) is None
    assert moderation.refuse_speech(member(), "3", NOW + 2) is not None


def test_change_of_one_rule_keeps_the_others() -> None:
    moderation = Moderation()
    moderation.change(locked=True)
    moderation.change(pin="questions at the end")
    assert moderation.change(slow=5) == Rules(locked=True, slow=5, pin="questions at the end")


def test_locked_room_admits_only_known_members() -> None:
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


def test_ban_without_an_address_spares_the_neighbours() -> None:
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


def test_ban_of_an_address_is_told_as_that_to_its_neighbours() -> None:
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
def test_unban_without_a_ban_returns_nothing(name: str) -> None:
    moderation = Moderation()
    ban(moderation)
    assert moderation.unban(name, NOW) == ""
    assert barred(moderation, "ada") == "banned"
    assert moderation.unban("ada", NOW + 61) == ""


def test_returning_operator_is_admitted_under_all_rules() -> None:
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


def test_rename_is_refused_to_muted_members_and_in_quiet() -> None:
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


def lines_at(limits: LineLimits, who: Member, now: float, group: str = HOST) -> int:
    count = 0
    while count < 10_000 and not limits.consume(who, group, now):
        count += 1
    return count


def test_newcomers_of_an_address_share_a_bucket() -> None:
    limits = LineLimits(LIMITS)
    assert lines_at(limits, member(), 0.0) == LIMITS.burst * NEWCOMER_BURST
    assert lines_at(limits, member(), 1.0) == LIMITS.rate * NEWCOMER_RATE
    assert lines_at(limits, member(), 1.0, "192.0.2.8") == LIMITS.burst * NEWCOMER_BURST


def test_the_wait_is_told_in_seconds() -> None:
    limits = LineLimits(LIMITS)
    lines_at(limits, member(), 0.0)
    assert limits.consume(member(), HOST, 0.0) == pytest.approx(1 / (LIMITS.rate * NEWCOMER_RATE))


def test_newcomers_take_nothing_from_established_members() -> None:
    limits = LineLimits(LIMITS)
    lines_at(limits, member(), 0.0)
    assert lines_at(limits, member(stayed=ESTABLISHED_S), 0.0) == LIMITS.burst * ESTABLISHED_BURST


def test_operators_are_not_limited() -> None:
    assert lines_at(LineLimits(LIMITS), member(operator=True), 0.0) == 10_000


def test_without_a_rate_limit_there_is_none_by_address() -> None:
    assert lines_at(LineLimits(Limits(rate=0)), member(), 0.0) == 10_000


def test_a_room_refuses_lines_and_names_above_the_limit() -> None:
    """Many short visits send no more lines than the bucket has, and do not limit a member that stays."""
    party = Party()
    party.join("ada", host=HOST)
    party.later(ESTABLISHED_S)
    party.room.line_limits.change(Limits(burst=1, rate=0.02))
    for visit in range(NEWCOMER_BURST // 10):
        party.join(f"eve{visit}", host=HOST)
        said = party.ask(f"eve{visit}", *(Say(f"{number}", "spam") for number in range(10)))
        assert len(only(Said, said)) == 10
    party.join("mallory", host=HOST)
    refused = party.ask("mallory", Say("1", "spam"), Rename("trudy"))
    assert [(event.code, event.id) for event in only(Refused, refused)] == [("slow-mode", "1"), ("slow-mode", "")]
    assert only(Refused, refused)[0].wait == pytest.approx(1.0)
    assert only(Said, party.ask("ada", Say("1", "is this a flood?")))
    party.later(1.0)
    assert only(Said, party.ask("mallory", Say("1", "spam")))
    assert "flood: 1 line not said from 192.0.2.7" in party.journal
