import threading

import pytest

from server.places import EVICTABLE_AFTER_S, LOOPBACK_PLACES, MAX_EVICTED, Place, Places

ATTACKER, OTHER, THIRD, LOOPBACK = "192.0.2.1", "192.0.2.2", "192.0.2.3", "127.0.0.1"


class Room:
    """Connections by number: those that have joined, and those that the room does not know."""

    def __init__(self) -> None:
        self.joined: set[int] = set()
        self.unknown: set[int] = set()

    def is_member(self, number: int) -> bool:
        return number in self.joined

    def is_nameless(self, number: int) -> bool:
        return number not in self.joined | self.unknown


@pytest.fixture
def room() -> Room:
    return Room()


def taken(*groups: str, now: float = 0.0) -> Places:
    """Places of these groups, numbered from 1."""
    places = Places()
    for number, group in enumerate(groups, 1):
        places.add(number, group, now)
    return places


def evicted_number(place: Place | None) -> int | None:
    return place.number if place is not None else None


def test_evict_takes_the_oldest_of_the_largest_group(room: Room) -> None:
    places = taken(OTHER, ATTACKER, ATTACKER, ATTACKER)
    assert evicted_number(places.evict(THIRD, 1.0, room)) == 2
    assert places.count(ATTACKER) == 2
    assert len(places) == 3


def test_evict_passes_over_members(room: Room) -> None:
    places = taken(ATTACKER, ATTACKER, ATTACKER)
    room.joined = {1, 2}
    places.add(4, ATTACKER, 0.5)
    assert evicted_number(places.evict(OTHER, 1.0, room)) == 3
    assert places.evict(OTHER, 1.0, room) is None


def test_evict_passes_over_connections_unknown_to_the_room(room: Room) -> None:
    """The room cannot end them yet, but they count as connections of their group."""
    places = taken(ATTACKER, ATTACKER, ATTACKER)
    room.unknown = {1, 2}
    assert evicted_number(places.evict(OTHER, 1.0, room)) == 3


def test_evict_leaves_a_group_its_share(room: Room) -> None:
    places = taken(ATTACKER, ATTACKER, OTHER)
    assert evicted_number(places.evict(OTHER, 1.0, room)) is None
    assert evicted_number(places.evict(THIRD, 1.0, room)) == 1


def test_evicting_in_turn_ends_with_equal_shares(room: Room) -> None:
    places = taken(*[ATTACKER] * 10)
    number = 10
    for now in range(100):
        for group in (ATTACKER, OTHER):
            if places.evict(group, now * 0.01, room) is not None:
                places.add(number := number + 1, group, now * 0.01)
    assert (places.count(ATTACKER), places.count(OTHER)) == (5, 5)


def test_evict_for_loopback_takes_any_other_group(room: Room) -> None:
    places = taken(OTHER, LOOPBACK, LOOPBACK)
    assert evicted_number(places.evict(LOOPBACK, 1.0, room)) == 1
    assert places.evict(LOOPBACK, 1.0, room) is None


@pytest.mark.parametrize("newcomer", [ATTACKER, OTHER, LOOPBACK])
def test_evict_takes_any_late_connection(room: Room, newcomer: str) -> None:
    places = taken(ATTACKER)
    if newcomer != LOOPBACK:
        assert places.evict(newcomer, EVICTABLE_AFTER_S - 0.1, room) is None
    assert evicted_number(places.evict(newcomer, EVICTABLE_AFTER_S, room)) == 1


def test_evict_for_a_nickname_takes_the_oldest_of_its_group(room: Room) -> None:
    places = taken(OTHER, ATTACKER, ATTACKER)
    assert places.evict(ATTACKER, 1.0, room) is None
    assert evicted_number(places.evict(ATTACKER, 1.0, room, has_nickname=True)) == 2


def test_evict_within_group_leaves_other_groups_alone(room: Room) -> None:
    places = taken(OTHER, OTHER, OTHER)
    assert places.evict(THIRD, 2 * EVICTABLE_AFTER_S, room, within_group=True) is None
    assert evicted_number(places.evict(OTHER, 1.0, room, has_nickname=True, within_group=True)) == 1


def test_evicted_connections_that_stay_open_are_bounded(room: Room) -> None:
    places = taken(*[ATTACKER] * (MAX_EVICTED + 2))
    evicted = [places.evict(LOOPBACK, 1.0, room) for _ in range(MAX_EVICTED + 2)]
    assert evicted.count(None) == 2
    places.remove(1)
    assert places.evict(LOOPBACK, 1.0, room) is not None


def test_evicted_connection_that_joined_meanwhile_counts_again(room: Room) -> None:
    places = taken(ATTACKER, ATTACKER)
    assert evicted_number(places.evict(LOOPBACK, 1.0, room)) == 1
    room.joined.add(1)
    assert evicted_number(places.evict(LOOPBACK, 2.0, room)) == 2
    assert places.count(ATTACKER) == 1


def test_evict_passes_over_a_connection_closed_meanwhile(room: Room) -> None:
    places = taken(ATTACKER, ATTACKER, ATTACKER)
    assert evicted_number(places.evict(LOOPBACK, 1.0, room)) == 1
    places.remove(2)
    assert evicted_number(places.evict(LOOPBACK, 1.0, room)) == 3
    assert places.evict(LOOPBACK, 1.0, room) is None


def test_removing_twice_counts_once() -> None:
    places = taken(ATTACKER, OTHER)
    places.remove(1)
    places.remove(1)
    assert len(places) == 1
    assert places.count(ATTACKER) == 0


def test_loopback_has_a_few_places_above_the_limit() -> None:
    places = taken(*[OTHER] * 50)
    for number in range(LOOPBACK_PLACES):
        assert places.has_own_share(LOOPBACK, 50)
        places.add(100 + number, LOOPBACK, 0.0)
    assert not places.has_own_share(LOOPBACK, 50)
    assert not places.has_own_share(OTHER, 50)


def test_loopback_has_no_more_above_the_limit_than_the_limit() -> None:
    assert not taken(LOOPBACK).has_own_share("::1", 1)


def test_places_survive_removal_by_threads_during_eviction(room: Room) -> None:
    places = taken(*[ATTACKER] * 200)
    threads = [threading.Thread(target=places.remove, args=(number,)) for number in range(1, 201)]
    for thread in threads:
        thread.start()
    for now in range(100):
        places.evict(OTHER, 1.0 + now, room)
    for thread in threads:
        thread.join()
    assert len(places) == places.count(ATTACKER) == 0
