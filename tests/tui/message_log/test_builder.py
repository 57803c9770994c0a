import os
import time
from collections.abc import Iterator

import pytest

from protocol.client import Gap, Received
from protocol.messages import Goodbye, Limits, ModelSwitched, Notice, People, Presence, Refused, Said, Welcome
from tui.message_log.builder import MAX_PEOPLE, EntryBuilder, PresenceSummary
from tui.message_log.entries import Entry, Flag, Kind

MONDAY = 1_795_464_840.0
"""Monday 23 November 2026, 20:14 in UTC."""


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    os.environ.pop("TZ", None)
    time.tzset()


@pytest.fixture
def builder() -> EntryBuilder:
    builder = EntryBuilder()
    builder.me = "ada"
    return builder


def said(text: str = "hi", nick: str = "bob", seq: int = 1, after: float = 0.0, id: str = "") -> Said:
    return Said(seq, nick, text, MONDAY + after, id)


def welcome(**given: object) -> Welcome:
    facts = {"you": "ada", "token": "t", "seq": 10, "model": "event", "connections": 1, "served_by": "event loop"}
    return Welcome(**{**facts, "limits": Limits(), "nonce": "", **given})  # type: ignore[arg-type]  # known facts


def entries(builder: EntryBuilder) -> list[Entry]:
    return [entry for _, entry in builder.store.entries(0)]


def texts(builder: EntryBuilder) -> list[str]:
    return [entry.text for entry in entries(builder)]


def test_builder_keeps_the_order_of_events(builder: EntryBuilder) -> None:
    events: list[Received] = [
        said("one"),
        ModelSwitched(2, MONDAY, "thread", "event", 0.0, 1),
        Gap(3),
        Notice("four", 5, MONDAY),
    ]
    builder.add_events(events)
    assert [entry.kind for entry in entries(builder)] == [Kind.SAID, Kind.SWITCH, Kind.GAP, Kind.NOTICE]


def test_builder_skips_events_that_the_pane_does_not_show(builder: EntryBuilder) -> None:
    builder.add_events([People(1, ["ada"]), Refused("bad-nickname", "no", suggestion="x"), Notice("  ")])
    assert texts(builder) == []


def test_changes_of_minute_and_day_are_marked(builder: EntryBuilder) -> None:
    builder.add_events([said(after=after) for after in (0, 10, 60, 61, 86_400)])
    stamped, day = Flag.STAMPED, Flag.NEW_DAY
    assert [entry.flags for entry in entries(builder)] == [stamped | day, 0, stamped, 0, stamped | day]


def test_words_without_a_time_are_not_stamped(builder: EntryBuilder) -> None:
    builder.add_events([Notice("no time"), Goodbye("full", "the room is full")])
    builder.add_note("mine", "local")
    assert [entry.flags for entry in entries(builder)] == [0, 0, 0]


def test_joins_and_leaves_share_a_line_until_the_next_text(builder: EntryBuilder) -> None:
    builder.add_events([Presence(1, MONDAY, joined=["bob"]), Presence(2, MONDAY, joined=["cleo"])])
    builder.add_events([Presence(3, MONDAY, left=["dan"])])
    assert texts(builder) == ["bob and cleo joined; dan left"]
    builder.add_events([said(), Presence(4, MONDAY, joined=["eve"])])
    assert texts(builder)[1:] == ["hi", "eve joined"]


def test_a_fold_that_came_to_nothing_begins_when_something_comes(builder: EntryBuilder) -> None:
    builder.add_events([Presence(1, MONDAY), Presence(2, MONDAY, joined=["bob"])])
    assert texts(builder) == ["bob joined"]


def test_a_folded_line_keeps_its_time(builder: EntryBuilder) -> None:
    builder.add_events([Presence(1, MONDAY, joined=["bob"]), Presence(2, MONDAY + 90, joined=["cleo"])])
    builder.add_events([said(after=90)])
    assert entries(builder)[0].flags == Flag.STAMPED | Flag.NEW_DAY
    assert entries(builder)[1].flags == Flag.STAMPED


def test_my_line_is_pending_then_has_the_rooms_order(builder: EntryBuilder) -> None:
    builder.add_pending("x", "mine", False, MONDAY)
    assert texts(builder) == []
    assert builder.store.entry(0) == Entry(Kind.SAID, "mine", "ada", MONDAY, Flag.OWN | Flag.PENDING)
    news = builder.add_events([said("another's"), said("mine", "ada", 2, id="x"), said("later", seq=3)])
    assert texts(builder) == ["another's", "mine", "later"]
    assert entries(builder)[1].flags == Flag.OWN
    assert builder.store.entry(3) is None
    assert news.lines == 2


def test_my_line_is_mine_after_a_change_of_name(builder: EntryBuilder) -> None:
    builder.add_pending("x", "hi", False, MONDAY)
    builder.me = "adele"
    assert builder.add_events([said("hi", "ada", id="x")]).lines == 0
    assert entries(builder)[0].flags & Flag.OWN


def test_a_refused_line_stays_to_be_read_with_the_reason(builder: EntryBuilder) -> None:
    builder.add_pending("x", "mine", False, MONDAY)
    builder.add_events([Refused("too-long", "the line is too long", "x")])
    builder.reject_pending("x", "again")
    assert [(entry.kind, entry.text) for entry in entries(builder)] == [
        (Kind.ERROR, "not said: the line is too long\nmine")
    ]


def test_the_welcome_tells_my_name_and_the_message_of_the_day(builder: EntryBuilder) -> None:
    builder.add_events([welcome(you="adele", motd="be kind\nand brief")])
    assert builder.me == "adele"
    assert [(entry.kind, entry.text) for entry in entries(builder)] == [(Kind.NOTICE, "be kind\nand brief")]
    builder.add_events([welcome(resumed=True, motd="be kind")])
    assert len(entries(builder)) == 1


def test_history_is_shown_and_is_no_news(builder: EntryBuilder) -> None:
    news = builder.add_events([welcome(), said("old, ada", seq=9), said("new, ada", seq=11)])
    assert (news.lines, news.first) == (1, 1)
    assert entries(builder)[0].flags & Flag.MENTION


def test_missed_lines_are_news(builder: EntryBuilder) -> None:
    builder.add_events([welcome()])
    assert builder.add_events([welcome(resumed=True, seq=20), said("ada?", seq=15)]).lines == 1


def test_a_name_of_mine_that_changes_is_followed(builder: EntryBuilder) -> None:
    builder.add_events([Presence(1, MONDAY, renamed=[("ada", "adele")]), said("adele!", seq=2), said("ada!", seq=3)])
    assert builder.me == "adele"
    mentions = [entry.text for entry in entries(builder) if entry.flags & Flag.MENTION]
    assert mentions == ["adele!"]


def test_names_that_are_swapped_are_followed_once(builder: EntryBuilder) -> None:
    builder.add_events([Presence(1, MONDAY, renamed=[("ada", "bob"), ("bob", "ada")])])
    assert builder.me == "bob"


def test_notes_and_errors_are_different_kinds(builder: EntryBuilder) -> None:
    builder.add_note("you are ada now", "local")
    builder.add_note("no such command", "error")
    assert [entry.kind for entry in entries(builder)] == [Kind.NOTE, Kind.ERROR]


def test_a_cleared_feed_begins_with_a_day_again(builder: EntryBuilder) -> None:
    builder.add_events([said()])
    builder.clear()
    builder.add_events([said()])
    assert [entry.flags for entry in entries(builder)] == [Flag.STAMPED | Flag.NEW_DAY]


def folded(*events: Presence) -> str:
    fold = PresenceSummary()
    for event in events:
        fold.add(event)
    return fold.text()


def came(*nicks: str) -> Presence:
    return Presence(1, 1e9, joined=list(nicks))


def went(*nicks: str) -> Presence:
    return Presence(1, 1e9, left=list(nicks))


def became(*pairs: tuple[str, str]) -> Presence:
    return Presence(1, 1e9, renamed=list(pairs))


@pytest.mark.parametrize(
    ("nicks", "words"),
    [
        (["ada"], "ada joined"),
        (["ada", "bob"], "ada and bob joined"),
        (["ada", "bob", "cleo"], "ada, bob and cleo joined"),
        (["ada", "bob", *map(str, range(23))], "ada, bob and 23 others joined"),
        (["ada", "bob", *map(str, range(1200))], "ada, bob and 1,200 others joined"),
    ],
)
def test_many_people_become_one_quiet_line(nicks: list[str], words: str) -> None:
    assert folded(came(*nicks)) == words
    assert folded(*(came(nick) for nick in nicks)) == words


def test_joins_and_departures_are_separate() -> None:
    assert folded(came("ada", "bob"), went("cleo")) == "ada and bob joined; cleo left"


def test_summary_counts_visitors_separately() -> None:
    assert folded(came("ada", "bob"), went("ada")) == "bob joined; ada came and went"


def test_member_that_left_and_came_back_has_joined() -> None:
    assert folded(went("ada"), came("ada")) == "ada joined"
    assert folded(came("ada"), went("ada"), came("ada")) == "ada joined"


def test_nickname_changed_twice_is_one_change() -> None:
    assert folded(became(("ada", "adele")), became(("adele", "alma"))) == "ada is now alma"


def test_a_name_changed_there_and_back_comes_to_nothing() -> None:
    assert folded(became(("ada", "adele")), became(("adele", "ada"))) == ""


def test_two_may_swap_their_names() -> None:
    assert folded(became(("ada", "bob"), ("bob", "ada"))) == "ada is now bob; bob is now ada"


def test_newcomer_has_only_its_last_nickname() -> None:
    assert folded(came("ada"), became(("ada", "adele"))) == "adele joined"


def test_rename_then_departure_has_the_old_name() -> None:
    assert folded(became(("ada", "adele")), went("adele")) == "ada left"


def test_many_changed_names_are_counted() -> None:
    pairs = [(f"a{index}", f"b{index}") for index in range(10)]
    assert folded(became(*pairs)).endswith("a2 is now b2; 7 more changed names")


def test_summary_sanitizes_nicknames() -> None:
    assert "\x1b" not in folded(came("\x1b[2J"), went("\x1b]0;x\x07"), became(("a\n", "b\u202e")))


def test_summary_of_too_many_people_is_full() -> None:
    fold = PresenceSummary()
    fold.add(came(*map(str, range(MAX_PEOPLE))))
    assert not fold.is_full
    fold.add(came("one more"))
    assert fold.is_full
