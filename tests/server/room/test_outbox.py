from collections.abc import Iterable, Mapping

from hypothesis import example, given
from hypothesis import strategies as st

from protocol.dialects import DIALECTS, PLAIN, RICH, Dialect
from protocol.messages import Said
from server.room.outbox import Audience, Broadcast, Outbox
from server.session import DeliveryFlags

STANDING = {1: RICH, 2: PLAIN, 3: RICH, 4: PLAIN}
"""Who is in the room when the turn begins. 5 and 6 are connected and are not."""

dialects = st.sampled_from([*DIALECTS.values()])
steps = st.lists(
    st.tuples(st.sampled_from(["say", "letter", "join", "leave"]), st.integers(1, 6), dialects),
    max_size=15,
)


def entry(seq: int, author: int = 0) -> Broadcast:
    return Broadcast(Said(seq, f"n{author}", f"line {seq}", 0.0), author)


@given(steps)
@example([("say", 1, RICH), ("letter", 5, RICH), ("join", 5, RICH), ("say", 2, RICH)])
@example([("say", 4, RICH), ("say", 1, RICH), ("leave", 4, RICH), ("say", 2, RICH)])
def test_each_connection_hears_in_order_what_was_told_while_it_was_there(steps: list[tuple[str, int, Dialect]]) -> None:
    turn, here = Outbox(), dict(STANDING)
    gone: set[int] = set()
    heard = dict.fromkeys(range(1, 7), b"")
    marks = dict.fromkeys(heard, 0)
    for seq, (step, number, dialect) in enumerate(steps, start=1):
        letter, mark = b"letter %d\n" % seq, DeliveryFlags.NONE
        if step == "say" and number in here:
            turn.entries.append(told := entry(seq, number))
            for reader, writes in here.items():
                if not (reader == number and writes is PLAIN):
                    heard[reader] += writes.encode(told.event)
            continue
        if number in gone or step == "say" or (step == "join" and number in here):
            continue
        if step == "join":
            here[number], mark = dialect, DeliveryFlags.JOINED
        elif step == "leave":
            mark = DeliveryFlags.CLOSE
            gone.add(number)
            if number in here:
                turn.leavers[number] = here.pop(number)
        turn.tell(number, letter, mark)
        heard[number] += letter
        marks[number] |= mark
    for number, dialect in here.items():
        turn.audience.add(number, dialect)
    delivered = list(turn)
    assert len(delivered) == len({number for number, _, _ in delivered})
    assert {number: (data, mark) for number, data, mark in delivered if data} == {
        number: (heard[number], marks[number]) for number in heard if heard[number]
    }


def test_a_turn_in_which_nothing_was_told_delivers_nothing() -> None:
    turn = Outbox()
    assert not turn
    assert list(turn) == []


def audience_of(members: Mapping[Dialect, Iterable[int]]) -> Audience:
    audience = Audience()
    for dialect, numbers in members.items():
        for number in numbers:
            audience.add(number, dialect)
    return audience


def test_most_get_the_very_same_bytes() -> None:
    turn = Outbox()
    turn.entries += [entry(1, 1), entry(2, 1)]
    turn.audience = audience_of({RICH: range(1, 100)})
    first, *others = [data for _, data, _ in turn]
    assert all(data is first for data in others)


def test_what_many_hear_alike_is_told_apart_from_what_one_hears() -> None:
    turn = Outbox()
    turn.entries += [entry(1, 1), entry(2, 5)]
    turn.tell(7, b"a letter", DeliveryFlags.CLOSE)
    turn.audience = audience_of({PLAIN: [1, 2, 3], RICH: [4, 5]})
    shared, personal = turn.parts()
    plain, rich = (b"".join(dialect.encode(entry.event) for entry in turn.entries) for dialect in DIALECTS.values())
    assert [(data, list(numbers)) for data, numbers in shared] == [(plain, [2, 3]), (rich, [4, 5])]
    assert {number: mark for number, _, mark in personal} == {1: DeliveryFlags.NONE, 7: DeliveryFlags.CLOSE}


def test_a_plain_speaker_does_not_hear_itself_and_a_rich_one_does() -> None:
    turn = Outbox()
    turn.entries += [entry(1, 1), entry(2, 2)]
    turn.audience = audience_of({PLAIN: [2], RICH: [1]})
    delivered = {number: data for number, data, _ in turn}
    assert delivered[1] == RICH.encode(turn.entries[0].event) + RICH.encode(turn.entries[1].event)
    assert delivered[2] == b"n1: line 1\n"


def test_a_letter_finds_its_place_between_two_lines() -> None:
    turn = Outbox()
    turn.entries.append(entry(1))
    turn.tell(2, b"*** between\n")
    turn.entries.append(entry(2))
    turn.audience = audience_of({PLAIN: [2]})
    assert list(turn) == [(2, b"n0: line 1\n*** between\nn0: line 2\n", DeliveryFlags.NONE)]


def test_who_joins_does_not_hear_again_what_its_welcome_told() -> None:
    turn = Outbox()
    turn.entries.append(entry(1))
    turn.tell(5, b"*** try another nickname\n")
    turn.entries.append(entry(2))
    turn.tell(5, b"welcome\n", DeliveryFlags.JOINED)
    turn.entries.append(entry(3))
    turn.audience = audience_of({PLAIN: [5]})
    assert list(turn) == [(5, b"*** try another nickname\nwelcome\nn0: line 3\n", DeliveryFlags.JOINED)]


def test_who_leaves_hears_what_was_told_before_and_nothing_after() -> None:
    turn = Outbox()
    turn.entries.append(entry(1))
    turn.tell(4, b"*** goodbye\n", DeliveryFlags.CLOSE)
    turn.leavers[4] = PLAIN
    turn.entries.append(entry(2))
    assert list(turn) == [(4, b"n0: line 1\n*** goodbye\n", DeliveryFlags.CLOSE)]


def test_who_joins_and_leaves_within_one_turn_gets_its_welcome_what_was_told_and_its_goodbye() -> None:
    turn = Outbox()
    turn.entries.append(entry(1))
    turn.tell(4, b"welcome\n", DeliveryFlags.JOINED)
    turn.entries.append(entry(2))
    turn.tell(4, b"*** goodbye\n", DeliveryFlags.CLOSE)
    turn.leavers[4] = PLAIN
    turn.entries.append(entry(3))
    assert list(turn) == [(4, b"welcome\nn0: line 2\n*** goodbye\n", DeliveryFlags.JOINED | DeliveryFlags.CLOSE)]


def test_of_two_blocks_that_one_connection_is_told_of_at_once_the_longer_is_left() -> None:
    turn = Outbox()
    for seconds in (5.0, 3.191, 0.3):
        turn.tell(4, b"", DeliveryFlags.BLOCK | int(seconds * 1000) << DeliveryFlags.SHIFT)
    turn.tell(4, b"welcome\n", DeliveryFlags.JOINED)
    assert list(turn) == [(4, b"welcome\n", DeliveryFlags.JOINED | DeliveryFlags.BLOCK | 5000 << DeliveryFlags.SHIFT)]
