from collections.abc import Sequence

import pytest

from protocol.dialects import PLAIN
from protocol.messages import (
    Goodbye,
    Hello,
    Limits,
    Model,
    ModelSwitched,
    Notice,
    Ping,
    Pong,
    Quit,
    Refused,
    Said,
    Say,
    Status,
    StatusRequest,
    Where,
    Who,
)
from server.room.room import TICK_S
from server.room.roster import KEPT_RESULTS
from server.room.state import ResourceUsage
from server.session import WRITE_TIMEOUT
from server.session_types import DeliveryFlags, SessionReply
from tests.server.without_sockets import House, hello, new_room, only, plain, rich


class TestAConversation:
    def test_line_reaches_all_members_except_a_plain_author(self) -> None:
        house = House()
        ada, bob = plain(house, "ada"), plain(house, "bob")
        cleo, _ = rich(house, "cleo")
        house.taken(ada), house.taken(bob)
        house.send(ada, "hi all")
        assert house.heard(ada) == []
        assert house.heard(bob) == ["ada: hi all"]
        (said,) = house.events(cleo)
        assert isinstance(said, Said)
        assert (said.nick, said.text, said.at) == ("ada", "hi all", house.now)

    def test_the_sender_of_a_line_with_an_id_hears_it_with_that_id(self) -> None:
        house = House()
        ada, welcome = rich(house)
        house.send(ada, Say("7", "hi"))
        assert house.events(ada) == [Said(welcome.seq + 2, "ada", "hi", house.now, "7")]

    def test_the_words_of_the_talk_come_first(self) -> None:
        house = House()
        number = house.open()
        house.send(number, "ada")
        assert house.heard(number)[0] == "Connected to chat server"

    def test_line_of_a_half_closed_connection_is_delivered(self) -> None:
        house = House()
        bob = plain(house, "bob")
        ada = house.open()
        house.send(ada, b"ada\nhi\n")
        house.end(ada)
        assert house.heard(bob) == ["*** ada joined", "ada: hi"]
        house.step(1.0)
        assert house.heard(bob) == ["*** ada left"]

    def test_a_text_that_imitates_the_room_is_its_speakers(self) -> None:
        house = House()
        ada, bob = plain(house, "ada"), plain(house, "bob")
        house.taken(bob)
        house.send(ada, "*** bob left", "/me *** left")
        assert house.heard(bob) == ["ada: *** bob left", "* ada *** left"]

    def test_connection_before_its_hello_gets_nothing(self) -> None:
        house = House()
        silent, ada = house.open(), plain(house)
        house.send(ada, "hi")
        house.step(0.5)
        greeting = [
            "*** this is a chat room, and 1 person is here",
            "*** type a nickname and press Enter; /help lists the commands, /quit leaves",
        ]
        assert house.heard(silent) == greeting
        house.send(ada, "still here")
        house.step(1.0)
        assert house.heard(silent) == []


class TestGoing:
    def test_quit_gets_earlier_events_and_a_goodbye(self) -> None:
        house = House()
        ada, bob = plain(house, "ada"), plain(house, "bob")
        house.taken(ada)
        house.send(bob, "before")
        house.send(ada, "/quit")
        house.send(bob, "after")
        assert house.heard(ada) == ["bob: before", "*** goodbye: see you"]

    def test_lost_connection_leaves_once(self) -> None:
        house = House()
        ada, bob = plain(house, "ada"), plain(house, "bob")
        house.taken(bob)
        house.close(ada)
        house.room.close(ada)
        house.step(1.0)
        assert house.heard(bob) == ["*** ada left"]
        house.step(1.0)
        assert house.heard(bob) == []

    def test_connection_that_reads_nothing_is_closed(self) -> None:
        house = House()
        stuck, bob = plain(house, "stuck"), plain(house, "bob")
        house.send(bob, "hi")
        house.step()
        house.taken(bob)
        house.step(WRITE_TIMEOUT + 1)
        house.send(bob, "on we go")
        house.step(5.0)
        assert stuck not in house.sessions
        assert house.heard(bob) == ["*** stuck left"]

    def test_a_goodbye_of_the_session_ends_its_membership(self) -> None:
        house = House(Limits(rate=0, idle_timeout=60.0))
        ada = plain(house, "ada")
        house.step(61.0)
        assert house.heard(ada)[-1] == "*** goodbye: nothing was heard of you for 60 seconds"
        assert not house.room.roster.find_holder("ada")

    def test_disconnect_all_tells_each_connection_once_why(self) -> None:
        house = House()
        ada, (bob, _) = plain(house, "ada"), rich(house, "bob")
        silent, quitter = house.open(), plain(house, "cleo")
        house.send(quitter, "/quit")
        for number in (ada, bob, quitter):
            house.step(), house.taken(number)
        house.room.disconnect_all("the server ends")
        assert house.heard(ada) == ["*** goodbye: the server ends"]
        assert house.events(bob) == [Goodbye("closing", "the server ends")]
        assert house.heard(silent)[-1] == "*** goodbye: the server ends"
        assert quitter not in house.sessions or house.heard(quitter) == []

    def test_closing_connection_gets_nothing_after_its_goodbye(self) -> None:
        room = new_room()
        room.open(1, "event loop")
        room.apply(1, Hello("ada", None, PLAIN.name), 0.0)
        room.apply(1, SessionReply(b"*** goodbye\n", "idle", DeliveryFlags.CLOSE), 0.0)
        for item in (Say("", "hi"), Who(), Quit(), Hello("bob"), SessionReply(b"*** more\n", "")):
            room.apply(1, item, 0.0)
        ((_, data, flags),) = room.flush(0.0)
        assert data.endswith(b"*** goodbye\n")
        assert flags == DeliveryFlags.JOINED | DeliveryFlags.CLOSE


def measuring(house: House) -> list[int]:
    """The number of connections at each measurement. The number of processes is the number of measurements."""
    measured: list[int] = []

    def measure(served_by: Sequence[str]) -> ResourceUsage:
        measured.append(len(served_by))
        return ResourceUsage(processes=len(measured))

    house.room.measure = measure
    return measured


class TestStatus:
    def test_goes_to_rich_clients_when_somebody_comes(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        bob = plain(house, "bob")
        (status,) = only(Status, house.events(ada))
        assert isinstance(status, Status)
        assert (status.connections, status.people, status.served_by) == (2, 2, "event loop")
        assert house.heard(bob) == []

    def test_new_member_gets_a_status_of_its_own(self) -> None:
        house = House()
        number = house.open()
        house.step(1.0)
        house.send(number, Hello("ada"))
        house.step(1.0)
        assert only(Status, house.events(number))

    def test_goes_out_at_most_four_times_a_second(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        for _ in range(200):
            house.open()
            house.step(0.01)
        assert 2 <= len(only(Status, house.events(ada))) <= 4 * 2 + 1

    def test_comes_when_it_is_asked_for(self) -> None:
        house = House()
        ada = plain(house, "ada")
        house.send(ada, "/status")
        (line,) = house.heard(ada)
        assert line.startswith("*** model event, 1 connected, you: event loop")

    def test_is_measured_once_a_moment_however_many_ask(self) -> None:
        house = House()
        people = [rich(house, f"n{number}")[0] for number in range(3)]
        house.step(1.0)
        measured = measuring(house)
        house.now += TICK_S
        for number in people:
            house.send(number, *[StatusRequest(), Where()] * 5)
        assert measured == [3]
        house.now += TICK_S
        house.send(people[0], StatusRequest())
        assert measured == [3, 3]
        assert only(Status, house.events(people[0]))[-1].processes == 2

    def test_is_measured_again_after_each_change(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        house.step(1.0)
        measured = measuring(house)
        house.send(ada, StatusRequest(), StatusRequest())
        bob = house.open()
        house.send(ada, StatusRequest(), StatusRequest())
        house.close(bob)
        house.send(ada, StatusRequest(), StatusRequest())
        house.room.switch_to(Model.THREAD, house.now)
        house.room.end_switch(house.now)
        house.send(ada, StatusRequest(), StatusRequest())
        assert measured == [1, 2, 1, 1]


class TestSwitching:
    def test_all_members_are_told_of_the_new_model_in_order(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        house.room.switch_to(Model.THREAD, house.now)
        house.send(ada, Say("1", "meanwhile"))
        house.room.open(ada, "thread 1")
        house.room.end_switch(house.now + 0.25)
        house.step(1.0)
        said, switched, status = house.events(ada)
        assert isinstance(said, Said)
        assert switched == ModelSwitched(said.seq + 1, house.now - 0.75, "thread", "event", 0.25, 1)
        assert isinstance(status, Status)
        assert (status.model, status.served_by) == ("thread", "thread 1")

    @pytest.mark.parametrize(("delivered", "pause"), [(0.5, 0.5), (0.25, 0.5), (0.125, 0.625)])
    def test_pause_is_the_longest_time_without_a_delivery(self, delivered: float, pause: float) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        asked = house.now
        house.room.begin_switch(asked)
        house.send(ada, Say("1", "is it over yet?"))
        house.room.delivered(house.room.flush(asked + delivered), asked + delivered)
        house.room.switch_to(Model.THREAD, asked)
        house.room.end_switch(asked + 0.75)
        house.step(1.0)
        switched = next(event for event in house.events(ada) if isinstance(event, ModelSwitched))
        assert switched.pause == pause

    def test_the_first_model_begins_without_a_word(self) -> None:
        house = House()
        house.room.end_switch(house.now)
        assert not house.room.has_output

    def test_one_that_failed_is_told_to_operators_alone(self) -> None:
        house = House()
        (ada, _), (bob, _) = rich(house, "ada"), rich(house, "bob")
        house.events(ada), house.events(bob)
        member = house.room.roster.find_holder("ada")
        assert member is not None
        member.operator = True
        house.room.switch_to(Model.PROCESS, house.now)
        house.room.switch_failed("no memory")
        house.room.end_switch(house.now)
        (refused,) = house.events(ada)
        assert isinstance(refused, Refused)
        assert refused.reason == "the process model could not take over: no memory"
        assert house.events(bob) == []
        assert house.room.model is Model.EVENT


class TestBounds:
    def test_history_is_bounded(self) -> None:
        house = House(keep=10, history=3)
        ada, welcome = rich(house, "ada")
        house.send(ada, *(Say("", f"line {number}") for number in range(100)))
        house.step()
        newcomer = hello(house, house.open(), "bob")
        assert [event.text for event in newcomer.history if isinstance(event, Said)] == [
            "line 97",
            "line 98",
            "line 99",
        ]
        house.close(ada)
        assert len(hello(house, house.open(), "ada", welcome.token, 0).history) == 10

    def test_of_answers_only_so_many_are_kept(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        house.send(ada, *(Say(str(number), "hi") for number in range(KEPT_RESULTS + 50)))
        member = house.room.roster.find_holder("ada")
        assert member is not None
        assert len(member.results) == KEPT_RESULTS

    def test_a_thousand_connections_that_came_and_went_leave_nothing(self) -> None:
        house = House()
        for number in range(1000):
            connection = house.open()
            if number % 2:
                house.send(connection, f"n{number}")
            house.close(connection)
        house.step(1.0)
        assert (house.room.seats, len(house.room.roster), house.room.has_output) == ({}, 0, False)
        assert (len(house.room.audience), house.room.presence.announced) == (0, {})


class TestAnyConnection:
    def test_that_is_unknown_is_not_heard(self) -> None:
        room = new_room()
        room.apply(7, Hello("ada"), 0.0)
        room.close(7)
        assert not room.has_output

    def test_has_its_pings_answered(self) -> None:
        house = House()
        ada, _ = rich(house, "ada")
        house.send(ada, Ping("p1"))
        assert house.events(ada) == [Pong("p1")]

    def test_hears_the_rooms_own_words_in_its_dialect(self) -> None:
        house = House()
        ada, (bob, welcome) = plain(house, "ada"), rich(house, "bob")
        house.taken(ada)
        house.room.broadcast(Notice("back in five", house.room.history.seq + 1, house.now))
        assert house.heard(ada) == ["*** back in five"]
        (notice,) = house.events(bob)
        assert isinstance(notice, Notice)
        assert notice.seq > welcome.seq
        assert PLAIN.encode(notice) == b"*** back in five\n"
