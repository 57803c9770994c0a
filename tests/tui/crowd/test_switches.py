"""Switches are measured from the request until two seconds after the event, in all six directions."""

from itertools import permutations

from protocol.client import ClientConnection
from protocol.messages import Model, ModelSwitched
from tui.crowd.member import Member
from tui.crowd.shared_decoder import SharedDecoder
from tui.crowd.switches import AFTERMATH_S, SWITCH_TIMEOUT_S, DirectionChooser, SwitchWatch

SWITCHED = ModelSwitched(7, 1.0, "thread", "event", 0.25, 2)


def members(*waits: float) -> list[Member]:
    crowd = [
        Member(number, ClientConnection("ada", str), SharedDecoder(), is_checking=False) for number in range(len(waits))
    ]
    for member, wait in zip(crowd, waits, strict=True):
        member.longest_wait = wait
    return crowd


def test_six_switches_take_all_six_directions() -> None:
    directions = DirectionChooser()
    model, taken = Model.EVENT, []
    for _ in range(6):
        before, model = model, directions.next(model)
        taken.append((before, model))

    assert sorted(taken) == sorted(permutations(Model, 2))


def test_switch_pause_is_the_longest_latency_of_any_member() -> None:
    watch = SwitchWatch()
    watch.ask(crowd := members(9.0, 9.0, 9.0), 100.0)
    assert [member.longest_wait for member in crowd] == [0.0, 0.0, 0.0]
    for member, wait in zip(crowd, (0.3, 0.1, 0.2), strict=True):
        member.longest_wait = wait

    assert watch.saw(SWITCHED, 100.5, 90.0)
    assert not watch.saw(SWITCHED, 100.6, 90.0)
    watch.dropped()
    watch.tick(crowd, 100.6)
    assert not watch.is_idle
    watch.tick(crowd, 100.5 + AFTERMATH_S)

    (seen,) = watch.done
    assert (seen.at, seen.before, seen.after) == (10.5, "event", "thread")
    assert (seen.pause, seen.median_pause, seen.reported_pause) == (0.3, 0.2, 0.25)
    assert (seen.carried, seen.dropped, seen.took) == (2, 1, 0.5)
    assert watch.is_idle


def test_silence_around_a_switch_is_no_pause() -> None:
    watch = SwitchWatch()
    watch.ask(crowd := members(0.0), 100.0)
    watch.saw(SWITCHED, 100.007, 90.0)
    watch.tick(crowd, 102.5)

    assert watch.done[0].pause == 0.0


def test_switch_pause_includes_unanswered_lines() -> None:
    watch = SwitchWatch()
    watch.ask(crowd := members(0.0), 99.0)
    crowd[0].say("hello?", 99.5)
    watch.saw(SWITCHED, 100.0, 90.0)
    watch.tick(crowd, 105.5)

    assert watch.done[0].pause == 6.0


def test_switch_of_another_operator_is_measured() -> None:
    watch = SwitchWatch()
    watch.tick(crowd := members(9.0), 99.5)
    crowd[0].longest_wait = 0.5
    watch.saw(SWITCHED, 100.0, 90.0)
    watch.tick(crowd, 100.0 + AFTERMATH_S)

    assert watch.done[0].pause == 0.5


def test_a_switch_that_is_refused_or_never_comes_has_failed() -> None:
    watch = SwitchWatch()
    watch.ask([], 10.0)
    watch.refused()
    watch.ask([], 20.0)
    watch.tick([], 21.0 + SWITCH_TIMEOUT_S)

    assert watch.failed == 2
    assert watch.is_idle
