"""The states of a session, with any events in any order."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Limits
from server.session import Session
from server.session_types import MOVES, DeliveryFlags, State

LIMITS = Limits(join_timeout=5.0, idle_timeout=5.0)
STEPS = {
    "nickname": lambda session, now: session.receive(b"ada\n", now),
    "quit": lambda session, now: session.receive(b"/quit\n", now),
    "web browser": lambda session, now: session.receive(b"GET / HTTP/1.1\r\n", now),
    "end of input": lambda session, now: session.end(now),
    "welcome": lambda session, now: session.queue(b"Connected to chat server\n", DeliveryFlags.JOINED, now),
    "goodbye": lambda session, now: session.queue(b"*** goodbye: kicked\n", DeliveryFlags.CLOSE, now),
    "too much unsent": lambda session, now: session.queue(bytes(2**21), DeliveryFlags.NONE, now),
    "reset": lambda session, now: session.close(),
    "deadline": lambda session, now: session.advance(now),
}


def session_after(*steps: str) -> Session:
    session = Session.open(1, LIMITS, 0.0)
    for number, step in enumerate(steps):
        STEPS[step](session, 6.0 * (number + 1) if step == "deadline" else float(number))
    return session


@given(st.lists(st.sampled_from([*STEPS]), max_size=12))
def test_session_never_goes_back_to_an_earlier_state(steps: list[str]) -> None:
    states = [session_after(*steps[:count]).state for count in range(len(steps) + 1)]
    assert states == sorted(states)


def test_every_move_is_made_by_some_event() -> None:
    made = {
        (State.CONNECTING, State.NAMED): ["nickname"],
        (State.NAMED, State.JOINED): ["nickname", "welcome"],
        (State.CONNECTING, State.LEAVING): ["web browser"],
        (State.NAMED, State.LEAVING): ["nickname", "end of input"],
        (State.JOINED, State.LEAVING): ["nickname", "welcome", "deadline"],
        (State.CONNECTING, State.CLOSING): ["goodbye"],
        (State.NAMED, State.CLOSING): ["nickname", "goodbye"],
        (State.JOINED, State.CLOSING): ["nickname", "welcome", "too much unsent"],
        (State.LEAVING, State.CLOSING): ["quit", "goodbye"],
        (State.CONNECTING, State.CLOSED): ["reset"],
        (State.NAMED, State.CLOSED): ["nickname", "reset"],
        (State.JOINED, State.CLOSED): ["nickname", "welcome", "reset"],
        (State.LEAVING, State.CLOSED): ["quit", "reset"],
        (State.CLOSING, State.CLOSED): ["goodbye", "reset"],
    }
    assert made.keys() == MOVES.keys()
    for (before, after), steps in made.items():
        assert (session_after(*steps[:-1]).state, session_after(*steps).state) == (before, after)


def test_a_welcome_after_quit_changes_nothing() -> None:
    assert session_after("nickname", "quit", "welcome").state is State.LEAVING
