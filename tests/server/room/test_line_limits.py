import pytest

from protocol.messages import Limits, Refused, Rename, Said, Say
from server.room.line_limits import ESTABLISHED_BURST, NEWCOMER_BURST, NEWCOMER_RATE, LineLimits
from server.room.member import ESTABLISHED_S, Member
from tests.server.guests import Party, only

LIMITS = Limits()
HOST = "192.0.2.7"


def member(**fields: float | bool) -> Member:
    return Member("token", "ada", **fields)  # type: ignore[arg-type]


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
