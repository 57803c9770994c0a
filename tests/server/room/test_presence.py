from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Presence
from server.room.presence import PendingPresence
from tests.server.roster_of import applied

steps = st.lists(
    st.tuples(st.sampled_from("tuvw"), st.sampled_from(["ada", "bob", "cleo", "dan", "eve", None])) | st.none(),
    max_size=40,
)


@given(steps)
def test_presence_events_reproduce_the_roster(steps: list[tuple[str, str | None] | None]) -> None:
    pending, here, told = PendingPresence(), dict[str, str](), set[str]()
    for step in [*steps, None]:
        if step is not None:
            token, nick = step
            if nick in here.values() and here.get(token) != nick:
                continue  # A nickname belongs to one member at a time.
            pending.record_change(token, nick)
            here.pop(token, None)
            if nick is not None:
                here[token] = nick
            continue
        if (presence := pending.flush(1, 0.0)) is not None:
            told = applied(told, presence)
        assert told == set(here.values()) == set(pending.announced.values())
        assert pending.flush(1, 0.0) is None


def test_short_visit_without_a_line_is_not_mentioned() -> None:
    pending = PendingPresence()
    pending.record_change("t", "ada")
    pending.record_change("t", None)
    assert pending.flush(1, 0.0) is None


def test_departure_and_return_are_not_mentioned() -> None:
    pending = PendingPresence({"t": "ada"})
    pending.record_change("t", None)
    pending.record_change("t", "ada")
    assert pending.flush(1, 0.0) is None


def test_return_under_another_nickname_is_a_rename() -> None:
    pending = PendingPresence({"t": "ada"})
    pending.record_change("t", None)
    pending.record_change("t", "bob")
    assert pending.flush(1, 0.0) == Presence(1, 0.0, renamed=[("ada", "bob")])


def test_names_may_move_along_a_chain_within_one_event() -> None:
    pending = PendingPresence({"t": "ada", "u": "cleo"})
    pending.record_change("t", "bob")
    pending.record_change("u", "ada")
    presence = pending.flush(1, 0.0)
    assert presence == Presence(1, 0.0, renamed=[("ada", "bob"), ("cleo", "ada")])
    assert applied({"ada", "cleo"}, presence) == {"ada", "bob"}


def test_two_may_swap_their_names_within_one_event() -> None:
    pending = PendingPresence({"t": "ada", "u": "bob"})
    for token, nick in [("t", "cleo"), ("u", "ada"), ("t", "bob")]:
        pending.record_change(token, nick)
    presence = pending.flush(1, 0.0)
    assert presence is not None
    assert sorted(presence.renamed) == [("ada", "bob"), ("bob", "ada")]


def test_released_nickname_can_be_taken_within_one_event() -> None:
    pending = PendingPresence({"t": "ada", "u": "bob"})
    pending.record_change("t", None)
    pending.record_change("u", "ada")
    pending.record_change("v", "bob")
    presence = pending.flush(7, 1.5)
    assert presence == Presence(7, 1.5, joined=["bob"], left=["ada"], renamed=[("bob", "ada")])
    assert applied({"ada", "bob"}, presence) == {"ada", "bob"}


def test_thousand_joins_are_one_event() -> None:
    pending = PendingPresence()
    for number in range(1000):
        pending.record_change(f"t{number}", f"n{number}")
    presence = pending.flush(1, 0.0)
    assert presence is not None
    assert len(presence.joined) == 1000
    assert not pending.changed


def test_departed_members_take_no_memory() -> None:
    pending = PendingPresence()
    for number in range(1000):
        pending.record_change(f"t{number}", "ada")
        pending.flush(1, 0.0)
        pending.record_change(f"t{number}", None)
        pending.flush(1, 0.0)
    assert pending == PendingPresence()
