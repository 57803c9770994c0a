from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Notice, Said, Sequenced
from server.room.record import Record

sizes = st.integers(0, 8)
kinds = st.lists(st.booleans(), max_size=20)


def told(kinds: list[bool]) -> list[Sequenced]:
    return [Said(i, "ada", "hi", 0.0) if said else Notice("hear", i) for i, said in enumerate(kinds, start=1)]


def filled(keep: int, history: int, events: list[Sequenced]) -> Record:
    record = Record(keep, history)
    for event in events:
        record.add(event)
    return record


@given(sizes, sizes, kinds, st.integers(0, 30) | st.just(2**53))
def test_since_gives_what_came_after_as_far_as_it_is_kept_and_counts_the_rest(
    keep: int, history: int, kinds: list[bool], after: int
) -> None:
    events = told(kinds)
    later = events[after:]
    kept = later[-keep:] if keep else []
    assert filled(keep, history, events).since(after) == (kept, len(later) - len(kept))


@given(sizes, sizes, kinds)
def test_a_newcomer_is_shown_the_last_lines_that_were_said(keep: int, history: int, kinds: list[bool]) -> None:
    events = told(kinds)
    said = [event for event in events if isinstance(event, Said)]
    assert filled(keep, history, events).said() == (said[-history:] if history else [])


@given(kinds)
def test_it_knows_the_number_of_the_last_event(kinds: list[bool]) -> None:
    assert filled(3, 3, told(kinds)).seq == len(kinds)


def test_it_keeps_no_more_than_it_was_told_to() -> None:
    record = filled(10, 5, told([True] * 1000))
    events, missed = record.since(0)
    assert (len(events), missed, len(record.said())) == (10, 990, 5)
