import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import json_lines
from protocol.dialects import DIALECTS, RICH, Dialect
from protocol.messages import Notice, Said, Sequenced
from server.room.history import MAX_REPLAY_BYTES, History

sizes = st.integers(0, 8)
kinds = st.lists(st.booleans(), max_size=20)


def told(kinds: list[bool]) -> list[Sequenced]:
    return [Said(i, "ada", "hi", 0.0) if said else Notice("hear", i) for i, said in enumerate(kinds, start=1)]


def filled(keep: int, history: int, events: list[Sequenced]) -> History:
    kept = History(keep, history)
    for event in events:
        kept.add(event)
    return kept


@given(sizes, sizes, kinds, st.integers(0, 30) | st.just(2**53))
def test_events_after_returns_kept_events_and_counts_the_rest(
    keep: int, history: int, kinds: list[bool], after: int
) -> None:
    events = told(kinds)
    later = events[after:]
    kept = later[-keep:] if keep else []
    assert filled(keep, history, events).events_after(after)[:2] == (kept, len(later) - len(kept))


@given(sizes, sizes, kinds)
def test_a_newcomer_is_shown_the_last_lines_that_were_said(keep: int, history: int, kinds: list[bool]) -> None:
    events = told(kinds)
    said = [event for event in events if isinstance(event, Said)]
    assert filled(keep, history, events).recent_lines(RICH)[0] == (said[-history:] if history else [])


@given(kinds)
def test_it_knows_the_number_of_the_last_event(kinds: list[bool]) -> None:
    assert filled(3, 3, told(kinds)).seq == len(kinds)


def test_it_keeps_no_more_than_it_was_told_to() -> None:
    history = filled(10, 5, told([True] * 1000))
    events, missed, _ = history.events_after(0)
    assert (len(events), missed, len(history.recent_lines(RICH)[0])) == (10, 990, 5)


@given(sizes, kinds, st.integers(-3, 30))
def test_an_event_is_found_as_long_as_it_is_kept(keep: int, kinds: list[bool], seq: int) -> None:
    events = told(kinds)
    kept = {event.seq: event for event in (events[-keep:] if keep else [])}
    assert filled(keep, 3, events).find_event(seq) == kept.get(seq)


def long_lines(count: int) -> list[Sequenced]:
    return [Said(seq, "ada", "\U0001f600" * 2000, 0.0) for seq in range(1, count + 1)]


def test_events_after_returns_the_newest_that_fit() -> None:
    events = long_lines(500)
    brought, missed, _ = filled(1000, 50, events).events_after(0)
    assert brought == events[missed:]
    size = sum(len(json_lines.encode(event)) for event in brought)
    assert MAX_REPLAY_BYTES - len(json_lines.encode(events[0])) < size <= MAX_REPLAY_BYTES


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_recent_lines_returns_the_newest_that_fit_the_dialect(dialect: Dialect) -> None:
    # In the plain dialect each line of a text begins with the nickname, so the text is several times as long.
    events: list[Sequenced] = [Said(seq, "a" * 24, "\n".join("x" * 40), 0.0) for seq in range(1, 10_001)]
    shown = filled(10, 20_000, events).recent_lines(dialect)[0]
    assert shown == events[-len(shown) :]
    assert len(shown) < len(events)
    size = sum(len(dialect.encode(event)) for event in shown)
    assert MAX_REPLAY_BYTES - len(dialect.encode(events[0])) < size <= MAX_REPLAY_BYTES


def test_events_after_counts_an_event_that_is_too_long() -> None:
    events: list[Sequenced] = [Notice("x" * MAX_REPLAY_BYTES, 1), Notice("hi", 2)]
    assert filled(10, 10, events).events_after(0)[:2] == ([events[1]], 1)
