"""The cost of the Room without sockets: admitting 1,000 members, and delivering lines to them."""

from collections import deque
from itertools import count

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from protocol.dialects import DIALECTS, RICH, Dialect
from protocol.messages import Hello, Limits, Quit, Say
from server.room.operators import Operators
from server.room.room import Room
from server.room.state import ResourceUsage
from tests.bench.conftest import PerSecond

MEMBERS = 1000
TEXT = "a line of the length that people write, more or less, when they chat"


def room_of(members: int, dialect: Dialect) -> Room:
    """Return a room with so many members, which have got each other's presence."""
    numbers = count()
    room = Room(
        Limits(rate=0),
        operators=Operators(),
        make_token=lambda: f"token{next(numbers)}",
        measure=lambda workers: ResourceUsage(),
    )
    for number in range(1, members + 1):
        room.open(number, "event loop")
        room.apply(number, Hello(f"member{number}", dialect=dialect.name), 0.0)
    drain(room, 1.0)
    drain(room, 2.0)
    return room


def drain(room: Room, now: float) -> int:
    """Take the output of the room, as a model does; returns the number of deliveries."""
    deliveries = 0
    for _ in room.flush(now):
        deliveries += 1
    return deliveries


@pytest.mark.benchmark(group=f"the room lets {MEMBERS:,} people in and out again")
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_coming_and_going(benchmark: BenchmarkFixture, dialect: Dialect, per_second: PerSecond) -> None:
    def come_and_go() -> Room:
        room = room_of(MEMBERS, dialect)
        for number in range(1, MEMBERS + 1):
            room.apply(number, Quit(), 3.0)
            room.close(number)
        drain(room, 3.0)
        return room

    assert len(benchmark.pedantic(come_and_go, rounds=10, warmup_rounds=1).roster) == 0
    per_second(MEMBERS, "people")


@pytest.mark.benchmark(group=f"the room tells {MEMBERS:,} people what was said in a turn")
@pytest.mark.parametrize("lines", [1, 10, 100])
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_turn(benchmark: BenchmarkFixture, dialect: Dialect, lines: int, per_second: PerSecond) -> None:
    room = room_of(MEMBERS, dialect)
    clock = count(10)

    def turn() -> int:
        now = float(next(clock))
        for number in range(1, lines + 1):
            room.apply(number, Say("", TEXT), now)
        return drain(room, now)

    told = benchmark(turn)
    # A plain client does not get its own line, so a single line leaves no delivery for it.
    assert told in (MEMBERS, MEMBERS - 1) if lines == 1 else told == MEMBERS
    per_second(MEMBERS * lines, "deliveries")


@pytest.mark.benchmark(group="the room takes in a line that nobody takes out yet")
def test_say(benchmark: BenchmarkFixture) -> None:
    room = room_of(MEMBERS, RICH)
    ids: deque[str] = deque()
    numbers = count()

    def say() -> None:
        ids.append(f"id{next(numbers)}")
        room.apply(1, Say(ids[-1], TEXT), 10.0)

    benchmark.pedantic(say, rounds=20_000)
    assert room.flush(10.0)
