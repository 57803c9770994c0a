"""Switches are measured from the wish to two seconds after, and all six directions get their turn."""

from itertools import permutations

from protocol.client import ClientConnection
from protocol.messages import Model, Switched
from tui.crowd.member import Member
from tui.crowd.switches import AFTER, ANSWER, Directions, SwitchWatch
from tui.crowd.wire import Wire

SWITCHED = Switched(7, 1.0, "thread", "event", 0.25, 2)


def members(*pauses: float) -> list[Member]:
    crowd = [Member(number, ClientConnection("ada", str), Wire(), checks=False) for number in range(len(pauses))]
    for member, pause in zip(crowd, pauses, strict=True):
        member.longest_pause, member.heard_at = pause, 99.0
    return crowd


def test_six_switches_take_all_six_directions() -> None:
    directions = Directions()
    model, taken = Model.EVENT, []
    for _ in range(6):
        before, model = model, directions.next(model)
        taken.append((before, model))

    assert sorted(taken) == sorted(permutations(Model, 2))


def test_the_pause_of_a_switch_is_the_longest_of_any_member() -> None:
    watch = SwitchWatch()
    watch.ask(crowd := members(9.0, 9.0, 9.0), 100.0)
    assert [member.longest_pause for member in crowd] == [0.0, 0.0, 0.0]
    for member, pause in zip(crowd, (0.3, 0.1, 0.2), strict=True):
        member.longest_pause, member.heard_at = pause, 100.5 + AFTER

    assert watch.saw(SWITCHED, 100.5, 90.0)
    assert not watch.saw(SWITCHED, 100.6, 90.0)
    watch.dropped()
    watch.tick(crowd, 100.6)
    assert not watch.idle
    watch.tick(crowd, 100.5 + AFTER)

    (seen,) = watch.done
    assert (seen.at, seen.before, seen.after) == (10.5, "event", "thread")
    assert (seen.pause, seen.median_pause, seen.told_pause) == (0.3, 0.2, 0.25)
    assert (seen.carried, seen.dropped, seen.took) == (2, 1, 0.5)
    assert watch.idle


def test_a_member_that_still_hears_nothing_counts_with_what_it_waits_for() -> None:
    watch = SwitchWatch()
    watch.ask(crowd := members(0.0), 99.0)
    watch.saw(SWITCHED, 100.0, 90.0)
    watch.tick(crowd, 105.0)

    assert watch.done[0].pause == 6.0


def test_a_switch_nobody_here_asked_for_is_measured_too() -> None:
    watch = SwitchWatch()
    watch.tick(crowd := members(9.0), 99.5)
    crowd[0].longest_pause, crowd[0].heard_at = 0.5, 100.0
    watch.saw(SWITCHED, 100.0, 90.0)
    watch.tick(crowd, 100.0 + AFTER)

    assert watch.done[0].pause == AFTER


def test_a_switch_that_is_refused_or_never_comes_has_failed() -> None:
    watch = SwitchWatch()
    watch.ask([], 10.0)
    watch.refused()
    watch.ask([], 20.0)
    watch.tick([], 21.0 + ANSWER)

    assert watch.failed == 2
    assert watch.idle
