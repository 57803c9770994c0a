import errno

import pytest

from protocol.messages import (
    RANDOM_MEMBER,
    Ban,
    Bans,
    Chaos,
    ClearHistory,
    Close,
    Goodbye,
    Kick,
    Lock,
    MeterReading,
    Model,
    Mute,
    Notice,
    Op,
    OperatorCommand,
    OperatorGranted,
    Pin,
    Quiet,
    Refused,
    Rename,
    Rules,
    RulesChanged,
    Said,
    Slow,
    Switch,
    Unban,
    Watch,
    Welcome,
    Who,
)
from server.room.operators import WRONG_BURST, Operators
from server.room.state import find_connection
from server.session_types import DeliveryFlags
from tests.server.guests import KEY, Party, only

EVERY_ORDER = (
    Switch("thread"),
    Kick("ada"),
    Ban("ada"),
    Unban("wilma"),
    Mute("ada"),
    Slow(5),
    Lock(),
    Quiet(),
    Pin("a line"),
    ClearHistory(),
    Op("bob"),
    Close(),
    Watch(),
    Chaos("silent"),
)


@pytest.fixture
def party() -> Party:
    party = Party()
    for nick in ("ada", "bob"):
        party.join(nick)
    return party


@pytest.fixture
def banned(party: Party) -> Party:
    """Wilma was in the room and is banned; all of that is announced and logged."""
    party.join("wilma")
    party.order(Ban("wilma"))
    assert party.gone("wilma") is not None
    party.drain()
    party.journal.clear()
    return party


def told(party: Party, nick: str = "bob") -> list[str]:
    """The notices and rules that all members got, as `nick` got them."""
    return [event.text for event in party.hears(nick) if isinstance(event, Notice | RulesChanged) and event.seq]


@pytest.mark.parametrize("order", EVERY_ORDER, ids=lambda order: type(order).__name__)
def test_command_of_a_member_is_refused(banned: Party, order: OperatorCommand) -> None:
    party = banned
    assert [event.code for event in only(Refused, party.ask("bob", order))] == ["not-operator"]
    assert not told(party, "ada")
    assert party.journal == party.closed == party.fault_clients.invited == []
    assert party.room.moderation.rules == Rules()
    assert party.gone("ada") is None


@pytest.mark.parametrize("order", EVERY_ORDER, ids=lambda order: type(order).__name__)
def test_each_command_against_a_person_is_announced_and_logged(banned: Party, order: OperatorCommand) -> None:
    party = banned
    party.room.operators = Operators(KEY, lambda model: True, fault_clients=party.fault_clients)
    if isinstance(order, Watch):
        return
    party.order(order)
    assert len(party.journal) == 1
    assert told(party) == party.journal
    assert "boss" in party.journal[0]


@pytest.mark.parametrize("order", [Kick, Ban, Mute, Op])
@pytest.mark.parametrize("nick", ["nobody", "", "#99", "#", "#-1", "# 1", "#" + "9" * 30, "\u0663"])
def test_command_against_an_absent_person_is_refused(
    party: Party, order: type[Kick | Ban | Mute | Op], nick: str
) -> None:
    refused = only(Refused, party.order(order(nick)))
    assert [event.code for event in refused] == ["unknown-person"]
    assert not party.journal


def test_absent_person_and_absent_connection_are_told_apart(party: Party) -> None:
    refused = only(Refused, party.order(Kick("nobody"), Kick("#99")))
    assert [event.reason for event in refused] == ["nobody here is called nobody", "there is no connection 99"]


def test_unnamed_connections_are_listed_to_operators_only(party: Party) -> None:
    ghost = party.open()
    seat = party.room.seats[ghost]
    seat.host, seat.since = "192.0.2.7", party.now - 35
    words = f"1 without a nickname: #{ghost} from 192.0.2.7 for 35 s"
    assert [event.text for event in only(Notice, party.ask("boss", Who(nameless=True)))] == [words]
    assert not only(Notice, party.ask("boss", Who()))
    assert not only(Notice, party.ask("ada", Who(nameless=True)))
    for _ in range(30):
        party.open()
    assert only(Notice, party.ask("boss", Who(nameless=True)))[0].text.endswith(", and 11 more")


@pytest.mark.parametrize("name", ["ada", "ADA", "#2"])
def test_a_kick_ends_the_connection_with_the_reason(party: Party, name: str) -> None:
    party.order(Kick(name, "that will do"))
    goodbye = party.gone("ada")
    assert goodbye == Goodbye("kicked", "boss kicked you: that will do")
    assert told(party) == ["boss kicked ada: that will do"]
    assert isinstance(find_connection(party.room, "ada"), Refused)


def test_the_kicked_may_come_back_under_its_name(party: Party) -> None:
    party.order(Kick("ada"))
    party.gone("ada")
    assert only(Welcome, party.join("ada"))[0].you == "ada"


def test_unnamed_connection_can_be_kicked_by_its_number(party: Party) -> None:
    ghost = party.open()
    party.order(Kick(f"#{ghost}"))
    assert b"kicked" in party.taken(ghost)
    assert told(party) == [f"boss kicked connection {ghost}"]


def test_second_kick_of_a_person_is_refused(party: Party) -> None:
    ghost = party.open()
    party.order(Kick(f"#{ghost}"))
    assert [event.code for event in only(Refused, party.order(Kick(f"#{ghost}")))] == ["unknown-person"]


@pytest.mark.parametrize("order", [Mute, Op])
def test_a_ghost_can_only_be_sent_away(party: Party, order: type[Mute | Op]) -> None:
    ghost = party.open()
    assert [event.code for event in only(Refused, party.order(order(f"#{ghost}")))] == ["unknown-person"]


def test_reasons_are_made_harmless(party: Party) -> None:
    party.order(Kick("ada", "\x1b[2Jbye"))
    goodbye = party.gone("ada")
    assert goodbye is not None
    assert "\x1b" not in goodbye.reason + told(party)[0]


def test_the_banned_do_not_come_back_by_token_or_by_name(party: Party) -> None:
    token = party.tokens["ada"]
    party.order(Ban("ada", 10))
    assert party.gone("ada") == Goodbye("banned", "boss banned you for 10 minutes")
    for nick, known in (("ada", ""), ("another", token)):
        assert [event.code for event in only(Goodbye, party.join(nick, token=known))] == ["banned"]
    party.later(601)
    assert only(Welcome, party.join("ada", token=token))


def test_an_address_is_banned_only_when_it_is_asked_for(party: Party) -> None:
    party.join("eve", host="192.0.2.7")
    party.order(Ban("eve"))
    assert only(Welcome, party.join("mallory", host="192.0.2.7"))


def test_a_ban_of_an_ipv6_address_holds_for_its_network(party: Party) -> None:
    """One machine can use each address of a /64."""
    for nick, host in (("eve", "2001:db8:0:7::1"), ("mallory", "2001:db8:0:7::2%eth0"), ("trent", "2001:db8:0:8::1")):
        party.join(nick, host=host)
    refused = only(Refused, party.order(Ban("eve", address=True)))
    assert "2 connections" in refused[0].reason
    party.order(Ban("eve", address=True, sure=True))
    assert party.gone("mallory") is not None
    assert party.gone("trent") is None
    assert not only(Welcome, party.join("peggy", host="2001:db8:0:7:ffff::9"))
    assert only(Welcome, party.join("walter", host="2001:db8:0:8::2"))


def test_a_ban_of_an_ipv4_address_holds_over_ipv6_sockets(party: Party) -> None:
    party.join("eve", host="::ffff:192.0.2.7")
    party.order(Ban("eve", address=True))
    assert not only(Welcome, party.join("peggy", host="192.0.2.7"))


def test_a_shared_address_wants_to_be_said_twice(party: Party) -> None:
    for nick in ("eve", "mallory", "trent"):
        party.join(nick, host="192.0.2.7")
    refused = only(Refused, party.order(Ban("eve", address=True)))
    assert refused[0].code == "shared-address"
    assert "3 connections" in refused[0].reason
    assert "sure" in refused[0].reason
    assert party.gone("eve") is None
    party.order(Ban("eve", address=True, sure=True))
    assert told(party)[-1] == "boss banned eve and 2 others from the same address for 60 minutes"
    assert party.gone("eve") == Goodbye("banned", "boss banned you for 60 minutes")
    words = "boss banned eve for 60 minutes, and with them all who share your address"
    assert party.gone("mallory") == party.gone("trent") == Goodbye("banned", words)
    assert not only(Welcome, party.join("peggy", host="192.0.2.7"))
    assert only(Welcome, party.join("walter", host="192.0.2.8"))


def test_a_member_that_left_is_banned_with_its_address(party: Party) -> None:
    party.join("eve", host="192.0.2.7")
    party.close(party.numbers["eve"])
    party.later(500)
    party.order(Ban("eve", 5, address=True))
    assert told(party)[-1] == "boss banned eve for 5 minutes"
    for nick, host in (("eve", "192.0.2.9"), ("mallory", "192.0.2.7")):
        assert [event.code for event in only(Goodbye, party.join(nick, host=host))] == ["banned"]
    assert only(Welcome, party.join("trent", host="192.0.2.8"))
    party.order(Unban("eve"))
    assert only(Welcome, party.join("mallory", host="192.0.2.7"))


def test_a_member_that_left_is_found_by_connection_number(party: Party) -> None:
    party.join("eve")
    number = party.numbers["eve"]
    party.close(number)
    party.order(Ban(f"#{number}"))
    assert not only(Welcome, party.join("eve"))


def test_a_member_that_left_long_ago_is_unknown(party: Party) -> None:
    party.join("eve")
    party.close(party.numbers["eve"])
    party.later(601)
    assert [event.code for event in only(Refused, party.order(Ban("eve")))] == ["unknown-person"]


def test_a_member_that_left_cannot_be_kicked_or_made_an_operator(party: Party) -> None:
    party.join("eve")
    party.close(party.numbers["eve"])
    for order in (Kick("eve"), Op("eve")):
        assert [event.code for event in only(Refused, party.order(order))] == ["unknown-person"]


def test_a_member_that_left_is_muted_when_it_comes_back(party: Party) -> None:
    party.join("eve")
    party.close(party.numbers["eve"])
    party.order(Mute("eve"))
    party.join("eve", token=party.tokens["eve"])
    assert party.say("eve", "hello") is not None


def test_a_mute_of_an_address_holds_for_newcomers_from_there(party: Party) -> None:
    party.join("eve", host="192.0.2.7")
    party.order(Mute("eve", address=True))
    assert told(party)[-1] == "boss muted eve and all that join from there"
    party.close(party.numbers["eve"])
    party.join("mallory", host="192.0.2.7")
    party.join("trent", host="192.0.2.8")
    refused = party.say("mallory", "hello")
    assert refused is not None
    assert refused.code == "muted"
    assert party.say("trent", "hello") is None
    party.order(Mute("eve", on=False))
    assert party.say("mallory", "hello") is None


def test_a_mute_of_a_shared_address_wants_sure(party: Party) -> None:
    for nick in ("eve", "mallory"):
        party.join(nick, host="192.0.2.7")
    refused = only(Refused, party.order(Mute("eve", address=True)))
    assert refused[0].code == "shared-address"
    assert party.say("eve", "hello") is None
    party.order(Mute("eve", address=True, sure=True))
    assert told(party)[-1] == "boss muted eve and 1 other from the same address and all that join from there"
    assert party.say("mallory", "hello") is not None


def test_bans_lists_those_that_hold(party: Party) -> None:
    assert [event.text for event in only(Notice, party.order(Bans()))] == ["nobody is banned"]
    party.join("eve", host="192.0.2.7")
    number = party.numbers["eve"]
    party.order(Ban("eve", 90, address=True))
    party.order(Ban("bob", 1))
    party.later(30)
    (listed,) = only(Notice, party.order(Bans()))
    bob = party.numbers["bob"]
    assert listed.text == (
        f"2 banned: bob (#{bob}) for another 30 seconds; eve (#{number}) and all from 192.0.2.7 for another 90 minutes"
    )
    party.later(31)
    assert only(Notice, party.order(Bans()))[0].text.startswith("1 banned: eve")


def test_deop_ends_that_somebody_is_an_operator(party: Party) -> None:
    party.order(Op("ada"))
    party.order(Op("ada", on=False))
    assert told(party)[-1] == "boss ended that ada is an operator"
    assert OperatorGranted(on=False) in party.hears("ada")
    assert not party.is_operator("ada")
    assert [event.code for event in only(Refused, party.ask("ada", Lock()))] == ["not-operator"]
    assert [event.code for event in only(Refused, party.order(Op("bob", on=False)))] == ["unknown-person"]


def test_the_holder_of_the_key_stays_an_operator(party: Party) -> None:
    assert [event.code for event in only(Refused, party.order(Op("boss", on=False)))] == ["operator"]


@pytest.mark.parametrize(
    "order",
    [
        Kick("boss"),
        Ban("boss"),
        Mute("boss"),
        Mute("boss", address=True, sure=True),
        Op("boss", on=False),
        Chaos("raise", "boss"),
        Chaos("block", "boss"),
        Chaos("kill-worker", "boss"),
    ],
)
def test_an_appointed_operator_can_do_nothing_to_the_key_holder(party: Party, order: OperatorCommand) -> None:
    party.order(Op("ada"))
    assert [event.code for event in only(Refused, party.ask("ada", order))] == ["operator"]
    assert party.gone("boss") is None
    assert party.is_operator("boss")


def test_one_other_is_told_as_one(party: Party) -> None:
    for nick in ("eve", "mallory"):
        party.join(nick, host="192.0.2.7")
    party.order(Ban("eve", 1, address=True, sure=True))
    assert told(party)[-1] == "boss banned eve and 1 other from the same address for 1 minute"


def test_ban_of_an_address_spares_its_operators(party: Party) -> None:
    party.room.seats[party.numbers["boss"]].host = "192.0.2.7"
    party.join("eve", host="192.0.2.7")
    party.order(Ban("eve", address=True))
    assert party.gone("eve") is not None
    assert party.gone("boss") is None
    party.close(party.numbers["boss"])
    assert only(Welcome, party.join("boss", token=party.tokens["boss"], host="192.0.2.7"))


@pytest.mark.parametrize("order", [Ban, Kick])
def test_ban_or_kick_of_oneself_is_refused(party: Party, order: type[Ban | Kick]) -> None:
    for name in ("boss", "#1"):
        assert only(Refused, party.order(order(name))) == [Refused("yourself", "that is you")]


def test_ban_of_an_unnamed_connection_needs_its_address(party: Party) -> None:
    ghost = party.open()
    party.room.seats[ghost].host = "192.0.2.9"
    [refused] = only(Refused, party.order(Ban(f"#{ghost}")))
    assert f"/ban #{ghost} address" in refused.reason
    assert not told(party)
    party.order(Ban(f"#{ghost}", address=True))
    assert [event.code for event in only(Goodbye, party.join("ghost", host="192.0.2.9"))] == ["banned"]


def test_ban_spares_key_holders_and_ends_appointments(party: Party) -> None:
    party.order(Op("ada"))
    assert [event.code for event in only(Refused, party.ask("ada", Ban("boss")))] == ["operator"]
    party.order(Ban("ada"))
    assert party.gone("ada") is not None
    assert [event.code for event in only(Goodbye, party.join("ada", token=party.tokens["ada"]))] == ["banned"]


def test_kicked_operator_can_return_and_unlock_the_room(party: Party) -> None:
    party.order(Op("ada"), Lock(), Kick("ada"))
    assert party.gone("ada") is not None
    assert only(Welcome, party.join("ada", token=party.tokens["ada"]))[0].operator
    party.ask("ada", Lock(on=False))
    assert only(Welcome, party.join("eve"))


def test_a_ban_is_lifted_and_all_are_told(banned: Party) -> None:
    banned.order(Unban("wilma"))
    assert told(banned) == ["boss let wilma in again"]
    assert only(Welcome, banned.join("wilma", token=banned.tokens["wilma"]))
    refused = only(Refused, banned.order(Unban("wilma")))
    assert refused == [Refused("unknown-person", "nobody called wilma is banned")]


def test_switch_is_announced_with_its_operator(party: Party) -> None:
    asked: list[Model] = []
    party.room.operators = Operators(KEY, lambda model: not asked.append(model))
    party.order(Switch("thread"))
    assert asked == [Model.THREAD]
    assert told(party) == party.journal == ["boss asks for the thread model"]
    refused = only(Refused, party.order(Switch("fibre")))
    assert [event.code for event in refused] == ["bad-command"]
    assert not told(party)


def test_muted_member_is_told_and_stays_muted_after_a_rename(party: Party) -> None:
    party.order(Mute("ada"))
    refused = party.say("ada", "hello?", "1")
    assert refused is not None
    assert (refused.code, refused.id) == ("muted", "1")
    assert [event.code for event in only(Refused, party.ask("ada", Rename("buy-this")))] == ["muted"]
    party.close(party.numbers["ada"])
    party.join("lovelace", token=party.tokens["ada"])
    party.numbers["ada"] = party.numbers["lovelace"]
    assert party.say("ada", "hello?", "2") is not None
    assert not only(Said, party.hears("bob"))
    party.order(Mute("lovelace", on=False))
    assert party.say("ada", "hello!", "3") is None
    assert [said.text for said in only(Said, party.hears("bob"))] == ["hello!"]


def test_the_muted_stays_muted_when_it_comes_back(party: Party) -> None:
    party.order(Mute("ada"))
    party.close(party.numbers["ada"])
    party.join("ada", token=party.tokens["ada"])
    assert party.say("ada", "hello?") is not None


def test_mute_of_an_operator_is_refused_and_not_announced(party: Party) -> None:
    refused = only(Refused, party.order(Mute("boss")))
    assert [event.code for event in refused] == ["operator"]
    assert not party.journal


def test_slow_mode_holds_for_all_but_operators(party: Party) -> None:
    party.order(Slow(30))
    assert party.say("ada", "one") is None
    refused = party.say("ada", "two", "7")
    assert refused is not None
    assert (refused.code, refused.id) == ("slow-mode", "7")
    assert 29 <= refused.wait <= 30
    party.later(30)
    assert party.say("ada", "two", "7") is None
    assert party.say("boss", "one") is party.say("boss", "two") is None
    party.order(Slow(0))
    assert party.say("ada", "three") is None


def test_the_quiet_is_for_all_but_operators_and_all_still_read(party: Party) -> None:
    party.order(Quiet())
    refused = party.say("ada", "psst")
    assert refused is not None
    assert refused.code == "quiet"
    assert party.say("boss", "listen") is None
    assert [said.text for said in only(Said, party.hears("ada"))] == ["listen"]
    party.order(Quiet(on=False))
    assert party.say("ada", "thank you") is None


def test_locked_room_admits_only_returning_members(party: Party) -> None:
    party.order(Lock())
    assert [event.code for event in only(Goodbye, party.join("eve"))] == ["locked"]
    party.close(party.numbers["ada"])
    assert only(Welcome, party.join("ada", token=party.tokens["ada"]))
    party.order(Lock(on=False))
    assert only(Welcome, party.join("eve"))


def test_rule_change_is_announced_and_told_to_newcomers(party: Party) -> None:
    party.order(Pin("questions at the end"), Slow(5), Quiet())
    ruled = only(RulesChanged, party.hears("bob"))
    assert [event.rules.pin for event in ruled] == ["questions at the end"] * 3
    assert ruled[-1].rules == Rules(quiet=True, slow=5, pin="questions at the end")
    assert only(Welcome, party.join("eve"))[0].rules == ruled[-1].rules
    party.order(Pin())
    assert only(RulesChanged, party.hears("bob"))[-1].rules.pin == ""


def test_cleared_history_is_hidden_from_newcomers_only(party: Party) -> None:
    party.say("ada", "a slip of the tongue")
    party.order(ClearHistory())
    assert not only(Said, list(only(Welcome, party.join("eve"))[0].history))
    party.close(party.numbers["bob"])
    history = only(Welcome, party.join("bob", token=party.tokens["bob"]))[0].history
    assert [said.text for said in only(Said, list(history))] == ["a slip of the tongue"]


def test_appointed_operator_that_returns_is_still_one(party: Party) -> None:
    party.order(Op("ada"))
    assert only(OperatorGranted, party.hears("ada"))
    assert not only(Refused, party.ask("ada", Pin("mine")))
    party.close(party.numbers["ada"])
    assert only(Welcome, party.join("ada", token=party.tokens["ada"]))[0].operator
    assert not party.is_operator("bob")


def test_closing_says_why(party: Party) -> None:
    party.order(Close("thank you all"))
    assert party.closed == ["thank you all"]
    assert told(party) == ["boss closes the room"]


def test_meter_is_sent_once_a_second_to_watchers_only(party: Party) -> None:
    party.order(Watch())
    readings: list[MeterReading] = []
    for _ in range(8):
        party.step(0.25)
        readings += only(MeterReading, party.hears("boss"))
        assert not only(MeterReading, party.hears("ada"))
    assert len(readings) == 2
    party.order(Watch(on=False))
    party.step(2.0)
    assert not only(MeterReading, party.hears("boss"))


def test_first_reading_covers_the_last_second_only(party: Party) -> None:
    for _ in range(100):
        party.say("ada", "long ago")
    party.later(1000.0)
    party.order(Watch())
    party.hears("boss")
    for _ in range(4):
        party.say("ada", "now")
    party.step(1.0)
    assert only(MeterReading, party.hears("boss"))[0].lines == pytest.approx(4.0)


def test_a_guest_is_invited_to_misbehave(party: Party) -> None:
    party.order(Chaos("slow-reader"))
    party.order(Chaos("silent"))
    assert party.fault_clients.invited == ["slow-reader", "silent"]


def test_no_guest_can_come_into_a_locked_room_but_a_silent_one(party: Party) -> None:
    party.order(Lock())
    [refused] = only(Refused, party.order(Chaos("slow-reader")))
    assert refused.reason == "no guest can come now: the room is locked"
    party.order(Chaos("silent"))
    assert party.fault_clients.invited == ["silent"]


def test_guest_without_a_free_process_is_refused(party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    def invite(kind: str) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(party.fault_clients, "invite", invite)
    party.journal.clear()
    [refused] = only(Refused, party.order(Chaos("silent")))
    assert (refused.code, refused.reason) == ("no-guest", "no guest can come now: Resource temporarily unavailable")
    assert not party.journal


@pytest.mark.parametrize("nick", ["", "ada", "nobody"])
def test_unknown_fault_is_refused(party: Party, nick: str) -> None:
    assert [event.code for event in only(Refused, party.order(Chaos("fire", nick)))] == ["bad-command"]
    assert not party.journal


def strike(party: Party, *orders: Chaos, killing: bool) -> tuple[list[str], list[str]]:
    """The codes of the refusals, and the victims, under a model that is `killing` workers."""
    for order in orders:
        party.send(party.numbers["boss"], order)
    outbox = party.room.flush(party.now)
    struck = [number for number, _, flags in outbox if flags & DeliveryFlags.KILL]
    for number in struck:
        if killing:
            party.room.close(number, failed=True)
        else:
            seat = party.room.seats[number]
            party.room.open(number, seat.served_by, worker=seat.worker)
    refused = only(Refused, party.hears("boss"))
    return [event.code for event in refused], [nick for nick in party.numbers if party.numbers[nick] in struck]


def test_there_is_no_worker_to_kill_but_in_the_process_model(party: Party) -> None:
    assert [event.code for event in only(Refused, party.order(Chaos("kill-worker", "ada")))] == ["no-worker"]


def test_a_killed_worker_is_told_once_it_is_killed(party: Party) -> None:
    party.join("eve", served_by="process 4321", worker=4321)
    party.drain()
    assert strike(party, Chaos("kill-worker", "eve"), killing=True) == ([], ["eve"])
    words = "boss killed the worker of eve, process 4321: it has ended, and nobody else has"
    assert told(party, "ada") == party.journal == [words]


def test_a_worker_that_no_model_has_is_not_told_to_be_killed(party: Party) -> None:
    """As in a switch, when the worker has returned its session already."""
    party.join("eve", served_by="process 4321", worker=4321)
    party.drain()
    assert strike(party, Chaos("kill-worker", "eve"), killing=False) == (["no-worker"], ["eve"])
    assert not told(party, "ada")
    assert not party.journal
    assert party.gone("eve") is None


def test_kill_after_victim_or_operator_has_left_is_no_error(party: Party) -> None:
    party.room.seats[party.numbers["ada"]].worker = 4321
    party.send(party.numbers["boss"], Chaos("kill-worker", "ada"), Op("bob"))
    party.close(party.numbers["ada"])
    party.close(party.numbers["boss"])
    for _ in range(2):
        party.step()
    party.room.close(party.numbers["ada"], failed=True)


def test_kill_request_is_cancelled_when_the_worker_is_gone(party: Party) -> None:
    party.room.model = Model.PROCESS
    party.join("eve", served_by="thread 17")
    assert strike(party, Chaos("kill-worker", "eve"), killing=True)[1] == []
    assert not party.journal


def test_random_victim_is_never_the_operator(party: Party) -> None:
    for pid, nick in enumerate(("eve", "trent"), start=100):
        party.join(nick, served_by=f"process {pid}", worker=pid)
    for nick in ("ada", "bob"):
        party.close(party.numbers[nick])
    struck = {strike(party, Chaos("kill-worker", RANDOM_MEMBER), killing=False)[1][0] for _ in range(50)}
    assert struck == {"eve", "trent"}


def test_member_named_random_can_be_the_victim(party: Party) -> None:
    party.join("random", worker=4321)
    assert strike(party, Chaos("kill-worker", "random"), killing=True)[1] == ["random"]


def test_random_fault_without_other_members_is_refused() -> None:
    party = Party()
    refused = only(Refused, party.order(Chaos("raise", RANDOM_MEMBER)))
    assert [event.code for event in refused] == ["unknown-person"]


def test_chaos_reaches_the_session_it_is_meant_for(party: Party) -> None:
    party.order(Chaos("raise", "ada"), Chaos("block", "bob", 0.25))
    party.step()
    faults = {nick: party.sessions[party.numbers[nick]].injected_fault for nick in ("boss", "ada", "bob")}
    assert faults == {"boss": 0.0, "ada": float("inf"), "bob": 0.25}


def test_block_without_a_name_hits_the_operator(party: Party) -> None:
    party.order(Chaos("block", seconds=0.1))
    party.step()
    assert party.sessions[party.numbers["boss"]].injected_fault == 0.1


def test_proofs_are_logged_and_not_announced(party: Party) -> None:
    party.room.seats[party.numbers["ada"]].host = "192.0.2.7"
    assert [event.code for event in only(Refused, party.prove("ada", b"a guess"))] == ["wrong-proof"]
    assert only(OperatorGranted, party.prove("ada"))
    who = f"ada (connection {party.numbers['ada']} from 192.0.2.7)"
    assert party.journal == [f"{who} gave a wrong proof of the operator's key", f"{who} proved the operator's key"]
    assert not told(party)


def test_a_proof_that_waits_is_answered_by_itself(party: Party) -> None:
    for number in range(WRONG_BURST):
        party.room.operators.queue_proof(1000 + number, None, "", "a guess")
    party.room.operators.check_proofs(party.now)
    assert party.prove("ada") == []
    party.step(1.0)
    assert only(OperatorGranted, party.hears("ada"))
