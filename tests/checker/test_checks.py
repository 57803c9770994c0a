"""Each property holds for a correct history, and is violated by a history with the mistake it is for."""

from collections.abc import Callable

import pytest

from protocol.messages import ModelSwitched, Presence, Said
from tests.checker.checks import PROPERTIES, check
from tests.checker.history import (
    Ending,
    History,
    MemberHistory,
    Operation,
    PlainHistory,
    PlainStay,
    Roster,
    ServerResources,
    SilentConnection,
    Stay,
    SwitchRequest,
)
from tests.checker.switch_checks import MAX_PAUSE_S


def presence(seq: int, **change: list[str]) -> Presence:
    return Presence(seq, 1.0, **change)  # type: ignore[arg-type]


def said(seq: int, nick: str, text: str, id: str = "") -> Said:
    return Said(seq, nick, text, 1.0, id)


def right() -> History:
    """Ada and Bob talk, and Pat speaks the plain dialect. Bob's connection breaks after event 3, and he resumes."""
    order = [
        presence(1, joined=["ada", "bob", "pat"]),
        said(2, "ada", "one", "a1"),
        said(3, "bob", "two", "b1"),
        said(4, "ada", "three", "a2"),
        said(5, "pat", "four"),
        said(6, "bob", "five", "b2"),
        ModelSwitched(7, 1.0, "thread", "event", 0.1, 3),
    ]
    ada = MemberHistory("ada", nicks={"ada"}, present_at_end=True, people_at_end=["ada", "bob", "pat"])
    ada.operations = {
        "a1": Operation("a1", "one", 0, [("1", 2)]),
        "a2": Operation("a2", "three", 1, [("1", 4)]),
        "a3": Operation("a3", "", 2, [], [("1", "empty")]),
    }
    ada.stays = [Stay("1", "ada", 0, False, None, 0, [], order, [Roster(4, 4, ["ada", "bob", "pat"])])]
    ada.stays[0].model, ada.stays[0].burst, ada.stays[0].rate = "event", 10, 2.0
    ada.stays[0].switch_requests = [SwitchRequest("thread", 1.0, "switched")]
    bob = MemberHistory("bob", nicks={"bob"}, present_at_end=True, people_at_end=["ada", "bob", "pat"])
    bob.operations = {
        "b1": Operation("b1", "two", 0, [("1", 3)]),
        "b2": Operation("b2", "five", 1, [("1", 6), ("1", 6)]),
    }
    bob.stays = [
        Stay("1", "bob", 0, False, None, 0, [], order[:3], ending=Ending.CUT, model="event"),
        Stay("1", "bob", 5, True, 3, 0, order[3:5], order[5:], [Roster(6, 1, ["ada", "bob", "pat"])], model="event"),
    ]
    pat = PlainHistory("pat", [PlainStay("1", "pat", ["four"], ["ada: one", "bob: two", "ada: three", "bob: five"])])
    pat.present_at_end = True
    for member in (ada, bob):
        for stay in member.stays:
            stay.passed_on = [event.seq for event in (*stay.history, *stay.events)]
    silent_connections = [SilentConnection("1", 10.1, 14.0), SilentConnection("1", None, 2.0)]
    return History(
        [ada, bob],
        [pat],
        "1",
        silent_connections=silent_connections,
        before=ServerResources(3, 13, 1, 0),
        after=ServerResources(5, 15, 1, 0),
    )


def ada(history: History) -> Stay:
    return history.members[0].stays[0]


def bob(history: History) -> Stay:
    return history.members[1].stays[1]


def said_twice(history: History) -> None:
    ada(history).events.append(said(8, "bob", "five", "b2"))


def acknowledged_as_another(history: History) -> None:
    history.members[1].operations["b2"].acknowledged.append(("1", 4))


def never_answered(history: History) -> None:
    history.members[0].operations["a4"] = Operation("a4", "six", 3)


def refused_and_said(history: History) -> None:
    history.members[0].operations["a2"].refused.append(("1", "text-too-long"))


def nobody_said_it(history: History) -> None:
    ada(history).events.append(said(8, "eve", "boo", "x1"))


def nobody_said_it_plainly(history: History) -> None:
    ada(history).events.append(said(8, "eve", "boo"))


def other_words(history: History) -> None:
    history.members[0].operations["a1"].text = "on"


def by_another(history: History) -> None:
    history.members[0].nicks = {"adah"}


def swapped_by_the_sender(history: History) -> None:
    history.members[0].operations["a1"].invoked = 9


def two_meanings(history: History) -> None:
    bob(history).events[0] = said(6, "bob", "fife", "b2")


def a_hole(history: History) -> None:
    for stay in (ada(history), bob(history)):
        stay.events[-1] = said(8, "bob", "five", "b2")


def left_out(history: History) -> None:
    del ada(history).events[3]


def doubled(history: History) -> None:
    ada(history).events.insert(4, ada(history).events[3])


def swapped(history: History) -> None:
    events = ada(history).events
    events[2], events[3] = events[3], events[2]


def resumed_too_early(history: History) -> None:
    bob(history).history.insert(0, ada(history).events[2])


def resumed_too_late(history: History) -> None:
    del bob(history).history[0]


def forgotten(history: History) -> None:
    bob(history).resumed = False


def a_gap_for_no_reason(history: History) -> None:
    bob(history).missed = 1


def shown_another_past(history: History) -> None:
    ada(history).welcome_seq = 4
    ada(history).history = [ada(history).events[1]]
    del ada(history).events[:4]
    ada(history).rosters.clear()


def client_hid_one(history: History) -> None:
    del ada(history).passed_on[2]


def two_rosters(history: History) -> None:
    bob(history).rosters.append(Roster(4, 0, ["ada", "bob"]))


def a_stale_roster(history: History) -> None:
    ada(history).rosters[0].people.append("eve")


def left_without_being_there(history: History) -> None:
    ada(history).events.append(presence(8, left=["eve"]))


def here_twice(history: History) -> None:
    ada(history).events.append(presence(8, joined=["bob"]))


def another_last_roster(history: History) -> None:
    history.members[0].people_at_end.append("eve")


def dropped(history: History) -> None:
    ada(history).ending = Ending.DROPPED


def misunderstood(history: History) -> None:
    ada(history).misunderstood.append("bad-json: that is not JSON")


def restless(history: History) -> None:
    history.settled = False


def plain_left_out(history: History) -> None:
    del history.plain[0].stays[0].lines[1]


def plain_end_missing(history: History) -> None:
    del history.plain[0].stays[0].lines[-1]


def plain_doubled(history: History) -> None:
    history.plain[0].stays[0].lines.append("bob: five")


def plain_own(history: History) -> None:
    history.plain[0].stays[0].lines.insert(3, "pat: four")


def an_action_told_as_none(history: History) -> None:
    history.members[0].operations["a1"].action = True


def plain_by_another(history: History) -> None:
    history.plain[0].stays[0].nick = "patty"


def unanswered_at_its_goodbye(history: History) -> None:
    history.members[0].operations["a4"] = Operation("a4", "six", 3)
    history.members[0].present_at_end = False


def shown_nothing(history: History) -> None:
    cleo = MemberHistory("cleo", nicks={"cleo"})
    cleo.stays = [Stay("1", "cleo", 6, False, None, 0, [], model="thread")]
    history.members.append(cleo)


def rejected(history: History) -> None:
    history.members[0].rejections.append("epoch 1: the connection was closed")


def plain_rejected(history: History) -> None:
    history.plain[0].rejections.append("epoch 1: the connection was closed")


def plain_deaf(history: History) -> None:
    history.plain[0].stays[0].lines.clear()


def plain_line_lost(history: History) -> None:
    history.plain[0].stays[0].said.append("seven")


def plain_line_lost_before_another(history: History) -> None:
    history.plain[0].stays[0].said.insert(0, "nought")
    history.plain[0].stays[0].ending = Ending.CUT


def from_another_model(history: History) -> None:
    ada(history).model = "thread"


def to_the_same_model(history: History) -> None:
    ada(history).events.append(ModelSwitched(8, 1.0, "thread", "thread", 0.1, 3))


def switch_ignored(history: History) -> None:
    ada(history).switch_requests.append(SwitchRequest("event", 1.0))
    ada(history).ended = 60.0


def slow_switch(history: History) -> None:
    ada(history).events.append(ModelSwitched(8, 10.0, "event", "thread", MAX_PAUSE_S + 0.5, 3))


def a_second_burst(history: History) -> None:
    for number in range(20):
        ada(history).events.append(said(8 + number, "ada", f"{number}", f"x{number}"))
        history.members[0].operations[f"x{number}"] = Operation(f"x{number}", f"{number}", 3 + number)
    ada(history).burst, ada(history).rate = 10, 2.0


def silent_for_ever(history: History) -> None:
    history.silent_connections.append(SilentConnection("1", None, 14.0))


def silent_and_closed_at_once(history: History) -> None:
    history.silent_connections.append(SilentConnection("1", 0.1, 14.0))


def descriptor_left(history: History) -> None:
    history.after = ServerResources(5, 16, 1, 0)


def thread_left(history: History) -> None:
    history.after = ServerResources(5, 15, 2, 0)


def child_left(history: History) -> None:
    history.after = ServerResources(5, 15, 1, 1)


BROKEN_BY: dict[Callable[[History], None], str] = {
    said_twice: "acknowledged_lines_have_one_seq",
    acknowledged_as_another: "acknowledged_lines_have_one_seq",
    never_answered: "all_lines_are_answered",
    refused_and_said: "refused_lines_are_not_delivered",
    nobody_said_it: "only_said_lines_are_delivered",
    nobody_said_it_plainly: "only_said_lines_are_delivered",
    other_words: "only_said_lines_are_delivered",
    by_another: "only_said_lines_are_delivered",
    swapped_by_the_sender: "senders_keep_their_order",
    two_meanings: "there_is_one_order",
    a_hole: "there_is_one_order",
    left_out: "members_get_all_events",
    doubled: "members_get_all_events",
    swapped: "members_get_all_events",
    resumed_too_early: "resumes_continue",
    resumed_too_late: "resumes_continue",
    forgotten: "resumes_continue",
    a_gap_for_no_reason: "resumes_continue",
    shown_another_past: "new_members_get_history",
    client_hid_one: "clients_pass_events_on_once",
    two_rosters: "rosters_agree",
    a_stale_roster: "rosters_agree",
    left_without_being_there: "rosters_agree",
    here_twice: "rosters_agree",
    another_last_roster: "last_roster_is_true",
    dropped: "no_connection_is_dropped",
    misunderstood: "all_lines_are_understood",
    restless: "room_settles",
    plain_left_out: "plain_clients_get_the_order",
    plain_end_missing: "plain_clients_get_the_order",
    plain_doubled: "plain_clients_get_the_order",
    plain_own: "plain_clients_get_the_order",
    plain_deaf: "plain_clients_get_the_order",
    plain_line_lost: "plain_lines_are_delivered",
    plain_line_lost_before_another: "plain_lines_are_delivered",
    plain_by_another: "only_said_lines_are_delivered",
    an_action_told_as_none: "only_said_lines_are_delivered",
    unanswered_at_its_goodbye: "all_lines_are_answered",
    shown_nothing: "new_members_get_history",
    rejected: "no_client_is_rejected",
    plain_rejected: "no_client_is_rejected",
    from_another_model: "switches_follow_each_other",
    to_the_same_model: "switches_follow_each_other",
    switch_ignored: "every_switch_is_answered",
    slow_switch: "switches_are_short",
    a_second_burst: "rate_limits_are_kept",
    silent_for_ever: "silent_connections_are_closed",
    silent_and_closed_at_once: "silent_connections_are_closed",
    descriptor_left: "resources_are_released",
    thread_left: "resources_are_released",
    child_left: "resources_are_released",
}


def test_a_right_history_breaks_nothing() -> None:
    assert check(right()) == []


def test_a_history_of_nobody_breaks_nothing() -> None:
    assert check(History()) == []


def test_member_without_a_welcome_breaks_nothing() -> None:
    history = right()
    history.members.append(MemberHistory("eve", nicks={"eve"}))
    assert check(history) == []


@pytest.mark.parametrize("mistake", BROKEN_BY, ids=lambda mistake: mistake.__name__)
def test_a_mistake_breaks_its_property(mistake: Callable[[History], None]) -> None:
    history = right()
    mistake(history)

    assert BROKEN_BY[mistake] in {violation.property for violation in check(history)}


def test_every_property_is_broken_by_some_mistake() -> None:
    assert {property.__name__ for property in PROPERTIES} == set(BROKEN_BY.values())


def test_new_epoch_with_a_repeated_line_breaks_nothing() -> None:
    history = right()
    again = said(2, "bob", "five", "b2")
    for member in history.members:
        member.stays.append(Stay("2", member.name, 0, False, 6, 0, []))
        member.stays[-1].events += [presence(1, joined=["ada", "bob"]), again]
        member.stays[-1].passed_on = [1, 2]
        member.people_at_end = ["ada", "bob"]
    history.members[1].operations["b2"].acknowledged.append(("2", 2))
    history.plain[0].present_at_end = False

    assert check(history) == []


def test_last_line_before_a_crash_breaks_nothing() -> None:
    history = right()
    history.plain[0].stays[0].lines.append("ada: six")
    assert check(history)

    history.epoch = "2"
    for member in (*history.members, *history.plain):
        member.present_at_end = False
    assert check(history) == []
