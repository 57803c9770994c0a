import os
import time
from collections.abc import Iterator

import pytest

from protocol.client import Gap, Received
from protocol.messages import Goodbye, Limits, ModelSwitched, Notice, People, Presence, Refused, Said, Welcome
from tui.message_log.builder import EntryBuilder
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
def feed() -> EntryBuilder:
    feed = EntryBuilder()
    feed.me = "ada"
    return feed


def said(text: str = "hi", nick: str = "bob", seq: int = 1, after: float = 0.0, id: str = "") -> Said:
    return Said(seq, nick, text, MONDAY + after, id)


def welcome(**given: object) -> Welcome:
    facts = {"you": "ada", "token": "t", "seq": 10, "model": "event", "connections": 1, "served_by": "event loop"}
    return Welcome(**{**facts, "limits": Limits(), "nonce": "", **given})  # type: ignore[arg-type]  # known facts


def entries(feed: EntryBuilder) -> list[Entry]:
    return [entry for _, entry in feed.store.entries(0)]


def texts(feed: EntryBuilder) -> list[str]:
    return [entry.text for entry in entries(feed)]


def test_what_happens_is_kept_in_its_order(feed: EntryBuilder) -> None:
    events: list[Received] = [
        said("one"),
        ModelSwitched(2, MONDAY, "thread", "event", 0.0, 1),
        Gap(3),
        Notice("four", 5, MONDAY),
    ]
    feed.take(events)
    assert [entry.kind for entry in entries(feed)] == [Kind.SAID, Kind.SWITCH, Kind.GAP, Kind.NOTICE]


def test_what_does_not_belong_into_the_pane_is_passed_over(feed: EntryBuilder) -> None:
    feed.take([People(1, ["ada"]), Refused("bad-nickname", "no", suggestion="x"), Notice("  ")])
    assert texts(feed) == []


def test_the_time_is_stamped_where_the_minute_changes_and_the_day_where_the_day_does(feed: EntryBuilder) -> None:
    feed.take([said(after=after) for after in (0, 10, 60, 61, 86_400)])
    stamped, day = Flag.STAMPED, Flag.NEW_DAY
    assert [entry.flags for entry in entries(feed)] == [stamped | day, 0, stamped, 0, stamped | day]


def test_words_without_a_time_are_not_stamped(feed: EntryBuilder) -> None:
    feed.take([Notice("no time"), Goodbye("full", "the room is full")])
    feed.note("mine", "local")
    assert [entry.flags for entry in entries(feed)] == [0, 0, 0]


def test_joins_and_leaves_fold_into_one_line_until_somebody_speaks(feed: EntryBuilder) -> None:
    feed.take([Presence(1, MONDAY, joined=["bob"]), Presence(2, MONDAY, joined=["cleo"])])
    feed.take([Presence(3, MONDAY, left=["dan"])])
    assert texts(feed) == ["bob and cleo joined; dan left"]
    feed.take([said(), Presence(4, MONDAY, joined=["eve"])])
    assert texts(feed)[1:] == ["hi", "eve joined"]


def test_a_fold_that_came_to_nothing_begins_when_something_comes(feed: EntryBuilder) -> None:
    feed.take([Presence(1, MONDAY), Presence(2, MONDAY, joined=["bob"])])
    assert texts(feed) == ["bob joined"]


def test_a_folded_line_keeps_its_time(feed: EntryBuilder) -> None:
    feed.take([Presence(1, MONDAY, joined=["bob"]), Presence(2, MONDAY + 90, joined=["cleo"])])
    feed.take([said(after=90)])
    assert entries(feed)[0].flags == Flag.STAMPED | Flag.NEW_DAY
    assert entries(feed)[1].flags == Flag.STAMPED


def test_my_line_waits_and_then_takes_its_place_in_the_rooms_order(feed: EntryBuilder) -> None:
    feed.say("x", "mine", False, MONDAY)
    assert texts(feed) == []
    assert feed.store.entry(0) == Entry(Kind.SAID, "mine", "ada", MONDAY, Flag.OWN | Flag.PENDING)
    news = feed.take([said("another's"), said("mine", "ada", 2, id="x"), said("later", seq=3)])
    assert texts(feed) == ["another's", "mine", "later"]
    assert entries(feed)[1].flags == Flag.OWN
    assert feed.store.entry(3) is None
    assert news.lines == 2


def test_my_line_is_mine_under_whatever_name_it_was_said(feed: EntryBuilder) -> None:
    feed.say("x", "hi", False, MONDAY)
    feed.me = "adele"
    assert feed.take([said("hi", "ada", id="x")]).lines == 0
    assert entries(feed)[0].flags & Flag.OWN


def test_a_refused_line_stays_to_be_read_with_the_reason(feed: EntryBuilder) -> None:
    feed.say("x", "mine", False, MONDAY)
    feed.take([Refused("too-long", "the line is too long", "x")])
    feed.refused("x", "again")
    assert [(entry.kind, entry.text) for entry in entries(feed)] == [
        (Kind.ERROR, "not said: the line is too long\nmine")
    ]


def test_the_welcome_tells_my_name_and_the_message_of_the_day(feed: EntryBuilder) -> None:
    feed.take([welcome(you="adele", motd="be kind\nand brief")])
    assert feed.me == "adele"
    assert [(entry.kind, entry.text) for entry in entries(feed)] == [(Kind.NOTICE, "be kind\nand brief")]
    feed.take([welcome(resumed=True, motd="be kind")])
    assert len(entries(feed)) == 1


def test_history_is_shown_and_is_no_news(feed: EntryBuilder) -> None:
    news = feed.take([welcome(), said("old, ada", seq=9), said("new, ada", seq=11)])
    assert (news.lines, news.first) == (1, 1)
    assert news.mention is not None
    assert news.mention.text == "new, ada"
    assert entries(feed)[0].flags & Flag.MENTION


def test_what_was_missed_is_news(feed: EntryBuilder) -> None:
    feed.take([welcome()])
    assert feed.take([welcome(resumed=True, seq=20), said("ada?", seq=15)]).mention is not None


def test_a_name_of_mine_that_changes_is_followed(feed: EntryBuilder) -> None:
    news = feed.take([Presence(1, MONDAY, renamed=[("ada", "adele")]), said("adele!", seq=2), said("ada!", seq=3)])
    assert feed.me == "adele"
    assert news.mention is not None
    assert news.mention.text == "adele!"


def test_names_that_are_swapped_are_followed_once(feed: EntryBuilder) -> None:
    feed.take([Presence(1, MONDAY, renamed=[("ada", "bob"), ("bob", "ada")])])
    assert feed.me == "bob"


def test_my_own_words_are_told_apart_from_bad_news(feed: EntryBuilder) -> None:
    feed.note("you are ada now", "local")
    feed.note("no such command", "error")
    assert [entry.kind for entry in entries(feed)] == [Kind.NOTE, Kind.ERROR]


def test_a_cleared_feed_begins_with_a_day_again(feed: EntryBuilder) -> None:
    feed.take([said()])
    feed.clear()
    feed.take([said()])
    assert [entry.flags for entry in entries(feed)] == [Flag.STAMPED | Flag.NEW_DAY]
