"""RoomClient with a real room and real sessions, without sockets: the items and the callbacks that its views get."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from protocol.client import Gap, HistoryEnd
from protocol.messages import (
    Event,
    Goodbye,
    Kick,
    Limits,
    Lock,
    MeterReading,
    Model,
    ModelSwitched,
    People,
    Presence,
    Quiet,
    Refused,
    Rename,
    Rules,
    Said,
    Say,
    Slow,
    Status,
    StatusRequest,
    Welcome,
    Where,
    Who,
)
from server.room.operators import Operators
from tests.server.without_sockets import House, rich
from tests.tui.house_links import KEY, house_client, operated
from tests.tui.links import until
from tui.client_view import ClientView, Item, Note
from tui.commands.parse import ChatLine, ParsedCommand, parse


class Recorder(ClientView):
    """A view that records its calls."""

    def __init__(self) -> None:
        self.watches_meter = False
        self.items: list[Item] = []
        self.calls: list[object] = []

    def show_items(self, items: Sequence[Item]) -> None:
        self.items += items

    def joined(self, welcome: Welcome) -> None:
        self.calls.append(f"joined as {welcome.you}")

    def rejected(self, goodbye: Goodbye) -> None:
        self.calls.append(goodbye)

    def nick_refused(self, refused: Refused) -> None:
        self.calls.append(refused)

    def nick_changed(self) -> None:
        self.calls.append("another nickname")

    def mentioned(self) -> None:
        self.calls.append("mentioned")

    def command_unsent(self, sentence: str) -> None:
        self.calls.append(sentence)

    def line_deferred(self) -> None:
        self.calls.append("deferred")

    @property
    def said(self) -> list[str]:
        """The texts of the lines."""
        return [item.text for item in self.items if isinstance(item, Said)]

    def of(self, *kinds: type[Event]) -> list[Item]:
        """The items of these kinds."""
        return [item for item in self.items if isinstance(item, kinds)]


class Client:
    """A client in a house, and its view."""

    def __init__(self, house: House, nick: str = "ada", **options: object) -> None:
        self.house = house
        self.room, self.link = house_client(nick, **options)
        self.view = Recorder()
        self.room.attach(self.view)

    def types(self, text: str) -> None:
        parsed = parse(text)
        assert self.room.check(parsed) == ""
        if isinstance(parsed, ChatLine):
            self.room.say(parsed)
        else:
            assert isinstance(parsed, ParsedCommand)
            assert self.room.run(parsed)
        self.link.pass_on()


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def ada(house: House) -> Client:
    client = Client(house)
    client.link.enter(house)
    return client


def boss(house: House) -> int:
    """A member that is an operator of the house."""
    client = Client(house, "boss", key=KEY)
    client.room.link.operator(KEY)
    client.link.enter(house)
    assert client.room.is_operator
    return client.link.number


class TestItems:
    def test_items_before_the_first_view_are_kept_for_it(self, house: House) -> None:
        client, _ = house_client()
        observer, first, second = Recorder(), Recorder(), Recorder()
        client.attach(observer, shows_items=False)
        client.report_problem("the disk is full\x1b[2J")
        client.attach(first)
        client.attach(second)
        assert first.items == [Note("the disk is full␛[2J", is_error=True)]
        assert second.items == []

    def test_joining_shows_the_history_and_its_end(self, house: House) -> None:
        bob, _ = rich(house, "bob")
        house.send(bob, Say("1", "hi"))
        ada = Client(house)
        ada.link.enter(house)
        welcome, *history, end = [item for item in ada.view.items if not isinstance(item, Presence)]
        assert isinstance(welcome, Welcome)
        assert [item.text for item in history if isinstance(item, Said)] == ["hi"]
        assert end == HistoryEnd(welcome)
        assert ada.view.calls == ["joined as ada"]
        assert ada.room.model == "event"

    def test_own_lines_are_shown_unless_the_view_has_them(self, house: House) -> None:
        prompt, pipe = Client(house, "ada"), Client(house, "bot", shows_own_lines=False)
        for client in (prompt, pipe):
            client.link.enter(house)
        for client in (prompt, pipe):
            client.types(f"hello of {client.room.nick}")
        prompt.link.pass_on()
        pipe.link.pass_on()
        assert prompt.view.said == ["hello of ada", "hello of bot"]
        assert pipe.view.said == ["hello of ada"]
        assert prompt.room.unanswered == pipe.room.unanswered == 0

    def test_roster_is_shown_only_if_it_was_asked_for(self, house: House, ada: Client) -> None:
        rich(house, "Bob")
        house.step(1.0)
        ada.link.pass_on()
        assert ada.view.of(People) == []
        ada.types("/who")
        (people,) = ada.view.of(People)
        assert isinstance(people, People)
        assert people.people == ["ada", "Bob"]

    def test_roster_is_shown_once_it_includes_the_client(self, house: House) -> None:
        """Of several newcomers the room tells a moment later."""
        Client(house, "bob").link.enter(house)
        ada = Client(house)
        ada.link.enter(house)
        ada.types("/who")
        assert ada.room.awaited.is_roster_due
        assert ada.view.of(People) == []
        house.step(1.0)
        ada.link.pass_on()
        assert [item.people for item in ada.view.items if isinstance(item, People)] == [["ada", "bob"]]
        assert not ada.room.awaited.is_roster_due

    def test_roster_for_the_link_is_no_answer_to_the_person(self, ada: Client) -> None:
        """The link asks for the roster after each welcome, and its answer comes first."""
        (welcome,) = (item for item in ada.view.items if isinstance(item, Welcome))
        ada.room._on_events([welcome])
        ada.room.run(ParsedCommand("who", "", Who(nameless=True)))
        ada.room._on_events([People(1, ["ada"])])
        assert ada.view.of(People) == []
        ada.room._on_events([People(1, ["ada"])])
        assert len(ada.view.of(People)) == 1

    def test_status_is_shown_only_if_it_was_asked_for(self, ada: Client) -> None:
        assert ada.room.status is not None
        assert ada.view.of(Status) == []
        ada.types("/status")
        assert ada.view.of(Status) == [ada.room.status]

    def test_status_of_a_lost_connection_is_not_awaited(self, house: House, ada: Client) -> None:
        assert ada.room.run(ParsedCommand("status", "", StatusRequest()))
        assert ada.room.awaited.is_status_due
        ada.link.lose()
        ada.link.enter(house)
        assert not ada.room.awaited.is_status_due
        assert ada.view.of(Status) == []

    def test_switch_changes_the_model_before_the_status_comes(self, ada: Client) -> None:
        ada.link._on_event(ModelSwitched(9, 0.0, Model.THREAD, Model.EVENT, 0.04, 1))
        ada.link._batches.flush()
        assert ada.room.status is not None
        assert (ada.room.model, ada.room.status.served_by) == ("thread", "")


class TestMentions:
    def test_live_line_with_the_nickname_is_a_mention(self, house: House, ada: Client) -> None:
        bob, _ = rich(house, "bob")
        house.send(bob, Say("1", "nothing"))
        ada.link.pass_on()
        assert "mentioned" not in ada.view.calls
        house.send(bob, Say("2", "and you, Ada?"), Say("3", "ada!"))
        ada.link.pass_on()
        assert ada.view.calls.count("mentioned") == 1

    def test_own_line_after_a_change_of_name_is_no_mention(self, ada: Client) -> None:
        id = ada.room.say(ChatLine("I am cleo now"))
        ada.link.client.nick = "cleo"
        ada.link.pass_on()
        assert ada.view.said == ["I am cleo now"]
        assert id not in ada.link.client.unacknowledged
        assert "mentioned" not in ada.view.calls

    def test_own_line_and_history_are_no_mentions(self, house: House) -> None:
        bob, _ = rich(house, "bob")
        house.send(bob, Say("1", "is ada here?"))
        ada = Client(house)
        ada.link.enter(house)
        ada.types("I am ada")
        assert "mentioned" not in ada.view.calls

    def test_missed_line_is_a_mention(self, house: House, ada: Client) -> None:
        bob, _ = rich(house, "bob")
        ada.link.lose()
        house.send(bob, Say("1", "ada, are you there?"))
        ada.link.enter(house)
        assert ada.view.calls.count("mentioned") == 1


class TestSlowMode:
    async def test_delayed_line_is_said_later_and_its_refusal_is_not_shown(self) -> None:
        house = operated()
        ada = Client(house)
        ada.link.enter(house)
        house.send(boss(house), Slow(0.05))
        ada.link.pass_on()
        # The room has set slow mode, and the client does not know it yet, as if the line had been on its way.
        ada.room.slow_mode_queue.set_interval(0.0)
        ada.types("one")
        ada.room.slow_mode_queue.set_interval(0.0)
        ada.types("two")
        assert ada.view.calls.count("deferred") == 1
        assert ada.room.unanswered == 1
        house.now += 1
        await until(lambda: not ada.room.slow_mode_queue, "the second line to be sent")
        ada.link.pass_on()
        assert ada.view.said == ["one", "two"]
        assert ada.view.of(Refused) == []
        assert ada.room.unanswered == 0

    async def test_line_behind_an_unanswered_one_is_deferred_at_once(self) -> None:
        house = operated()
        house.send(boss(house), Slow(30))
        ada = Client(house)
        ada.link.enter(house)
        for text in ("one", "two"):
            ada.room.say(ChatLine(text))
        assert ada.view.calls.count("deferred") == 1
        await asyncio.sleep(0)
        assert len(ada.room.slow_mode_queue) == 1

    async def test_operator_does_not_wait_in_slow_mode(self) -> None:
        house = operated()
        house.send(boss(house), Slow(30))
        ada = Client(house, key=KEY)
        ada.link.operator(KEY)
        ada.link.enter(house)
        for text in ("one", "two"):
            ada.room.say(ChatLine(text))
        ada.link.pass_on()
        assert ada.view.said == ["one", "two"]
        assert "deferred" not in ada.view.calls

    async def test_line_behind_a_refused_one_is_sent(self) -> None:
        house = operated()
        house.send(boss(house), Slow(0.05), Quiet())
        ada = Client(house)
        ada.link.enter(house)
        for text in ("one", "two"):
            ada.room.say(ChatLine(text))
        ada.link.pass_on()
        assert len(ada.room.slow_mode_queue) == 1
        await until(lambda: not ada.room.slow_mode_queue, "the second line to be sent")
        ada.link.pass_on()
        refused = [item.code for item in ada.view.items if isinstance(item, Refused)]
        assert refused == ["quiet", "quiet"]


class TestRequests:
    def test_long_line_is_not_sent(self, ada: Client) -> None:
        assert (
            ada.room.check(ChatLine("x" * 2001)) == "that is too long: it has 2,001 characters, and 2,000 are allowed"
        )
        assert ada.room.check(ChatLine("x" * 2000)) == ""

    def test_bad_nickname_is_not_sent(self, ada: Client) -> None:
        assert ada.room.check(ParsedCommand("nick", "a b", Rename("a b"))) == "a nickname has no spaces"
        ada.types("/nick cleo")
        ada.house.step(1.0)
        ada.link.pass_on()
        assert ada.room.nick == "cleo"
        assert ada.view.calls.count("another nickname") == 1

    def test_command_without_a_connection_is_reported(self, ada: Client) -> None:
        ada.link.lose()
        sentence = "not connected, so not sent: /where"
        assert ada.room.check(ParsedCommand("where", "", Where())) == sentence
        assert ada.room.run(ParsedCommand("where", "", Where()), "/where")
        assert ada.view.items[-1] == Note(sentence, is_error=True)
        assert ada.view.calls[-1] == sentence
        assert ada.room.awaited.typed_command == ""

    def test_command_of_the_view_is_left_to_it(self, ada: Client) -> None:
        ada.link.lose()
        assert ada.room.check(ParsedCommand("help")) == ""
        assert not ada.room.run(ParsedCommand("help"))

    def test_typed_command_is_kept_until_another_request(self, ada: Client) -> None:
        ada.room.run(ParsedCommand("where", "", Where()), "/where")
        assert ada.room.awaited.typed_command == "/where"
        ada.room.say(ChatLine("hello"))
        assert ada.room.awaited.typed_command == ""

    def test_panic_locks_and_quietens_and_then_lifts_both(self) -> None:
        house = operated()
        ada = Client(house, key=KEY)
        ada.link.operator(KEY)
        ada.link.enter(house)
        for rules in (Rules(locked=True, quiet=True), Rules()):
            ada.room.panic()
            ada.link.pass_on()
            assert ada.room.rules == rules

    def test_next_model_follows_the_running_one(self) -> None:
        asked: list[Model] = []
        house = operated()
        house.room.operators = Operators(KEY, lambda model: asked.append(model) is None)
        ada = Client(house, key=KEY)
        ada.link.operator(KEY)
        ada.link.enter(house)
        for running, following in (("event", "process"), ("process", "thread"), ("thread", "event")):
            assert ada.room.model == running
            ada.room.switch_to_next_model()
            assert asked.pop() == following
            house.room.switch_to(Model(following), house.now)
            house.room.end_switch(house.now)
            ada.link.pass_on()

    def test_saving_tells_the_path_or_the_reason(self, ada: Client, tmp_path: Path) -> None:
        ada.types("hello")
        entries = ada.room.transcript.entries
        path = tmp_path / "talk.jsonl"
        assert ada.room.save(str(path), entries) == Note(f"what was said is in {path}")
        assert b'"hello"' in path.read_bytes()
        refused = ada.room.save(str(path), entries)
        assert refused.is_error
        assert str(path) in refused.sentence


class TestJoining:
    def test_taken_nickname_is_refused_and_another_one_joins(self, house: House) -> None:
        rich(house, "ada")
        ada = Client(house)
        ada.link.enter(house)
        (refused,) = ada.view.calls
        assert isinstance(refused, Refused)
        assert (refused.code, refused.suggestion) == ("nickname-taken", "ada2")
        assert ada.view.items == []
        ada.link._writer = ada.link  # type: ignore[assignment]  # A connection is open.
        ada.room.try_nick("ada2")
        ada.link.pass_on()
        assert ada.view.calls[1:] == ["joined as ada2"]

    def test_nickname_refused_in_the_room_is_shown(self, house: House, ada: Client) -> None:
        rich(house, "bob")
        ada.types("/nick bob")
        (refused,) = ada.view.of(Refused)
        assert isinstance(refused, Refused)
        assert refused.code == "nickname-taken"
        assert ada.view.calls == ["joined as ada"]

    def test_rejection_is_neither_shown_nor_recorded(self) -> None:
        house = operated()
        house.send(boss(house), Lock())
        ada = Client(house)
        ada.link.enter(house)
        (goodbye,) = ada.view.calls
        assert isinstance(goodbye, Goodbye)
        assert goodbye.reason.startswith("the room is locked")
        assert ada.view.items == []
        assert ada.room.transcript.entries == []

    def test_goodbye_of_a_member_is_shown(self) -> None:
        house = operated()
        ada = Client(house)
        ada.link.enter(house)
        house.send(boss(house), Kick("ada", "enough"))
        ada.link.pass_on()
        assert [item.code for item in ada.view.items if isinstance(item, Goodbye)] == ["kicked"]
        ada.link.lose("over")
        assert not ada.room.is_welcome

    def test_line_over_the_limits_of_a_restarted_room_is_given_up(self, house: House, ada: Client) -> None:
        ada.link.lose()
        ids = [ada.room.say(ChatLine(text)) for text in ("x" * 1000, "short")]
        ada.link.enter(House(Limits(rate=0, line=512)))
        given_up = [item for item in ada.view.of(Refused) if isinstance(item, Refused) and item.id]
        assert given_up == [
            Refused("text-too-long", "that is too long: it has 1,063 bytes, and 512 are allowed", ids[0])
        ]
        assert ada.view.said == ["short"]
        assert any(isinstance(item, Gap) for item in ada.view.items)
        assert ada.room.unanswered == 0

    def test_operator_watches_the_meter_on_request(self) -> None:
        house = operated()
        watching, other = Client(house, "ada", key=KEY), Client(house, "bob", key=KEY)
        watching.view.watches_meter = True
        for client in (watching, other):
            client.link.operator(KEY)
            client.link.enter(house)
            assert client.room.is_operator
        house.step(1.0)
        for client in (watching, other):
            client.link.pass_on()
        assert watching.room.meter_history.last in watching.view.of(MeterReading)
        assert other.room.meter_history.last is None
