from collections.abc import Iterable, Mapping

from hypothesis import example, given
from hypothesis import strategies as st

from protocol.dialects import DIALECTS, PLAIN, RICH, Dialect
from protocol.messages import Said
from server.room.outbox import Audience, Broadcast, Outbox
from server.session_types import DeliveryFlags

STANDING = {1: RICH, 2: PLAIN, 3: RICH, 4: PLAIN}
"""The members at the start. Connections 5 and 6 have not joined."""

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
def test_each_connection_gets_its_events_in_order(steps: list[tuple[str, int, Dialect]]) -> None:
    outbox, here = Outbox(), dict(STANDING)
    gone: set[int] = set()
    heard = dict.fromkeys(range(1, 7), b"")
    marks = dict.fromkeys(heard, 0)
    for seq, (step, number, dialect) in enumerate(steps, start=1):
        letter, flags = b"letter %d\n" % seq, DeliveryFlags.NONE
        if step == "say" and number in here:
            outbox.broadcasts.append(told := entry(seq, number))
            for reader, writes in here.items():
                if not (reader == number and writes is PLAIN):
                    heard[reader] += writes.encode(told.event)
            continue
        if number in gone or step == "say" or (step == "join" and number in here):
            continue
        if step == "join":
            here[number], flags = dialect, DeliveryFlags.JOINED
        elif step == "leave":
            flags = DeliveryFlags.CLOSE
            gone.add(number)
            if number in here:
                outbox.departed[number] = here.pop(number)
        outbox.add(number, letter, flags)
        heard[number] += letter
        marks[number] |= flags
    for number, dialect in here.items():
        outbox.audience.add(number, dialect)
    delivered = list(outbox)
    assert len(delivered) == len({number for number, _, _ in delivered})
    assert {number: (data, flags) for number, data, flags in delivered if data} == {
        number: (heard[number], marks[number]) for number in heard if heard[number]
    }


def test_a_turn_in_which_nothing_was_told_delivers_nothing() -> None:
    outbox = Outbox()
    assert not outbox
    assert list(outbox) == []


def audience_of(members: Mapping[Dialect, Iterable[int]]) -> Audience:
    audience = Audience()
    for dialect, numbers in members.items():
        for number in numbers:
            audience.add(number, dialect)
    return audience


def test_most_get_the_very_same_bytes() -> None:
    outbox = Outbox()
    outbox.broadcasts += [entry(1, 1), entry(2, 1)]
    outbox.audience = audience_of({RICH: range(1, 100)})
    first, *others = [data for _, data, _ in outbox]
    assert all(data is first for data in others)


def test_by_recipient_separates_shared_and_personal_bytes() -> None:
    outbox = Outbox()
    outbox.broadcasts += [entry(1, 1), entry(2, 5)]
    outbox.add(7, b"a letter", DeliveryFlags.CLOSE)
    outbox.audience = audience_of({PLAIN: [1, 2, 3], RICH: [4, 5]})
    shared, personal = outbox.by_recipient()
    plain, rich = (b"".join(dialect.encode(one.event) for one in outbox.broadcasts) for dialect in (PLAIN, RICH))
    assert [(data, list(numbers)) for data, numbers in shared if numbers] == [(plain, [2, 3]), (rich, [4, 5])]
    assert {number: flags for number, _, flags in personal} == {1: DeliveryFlags.NONE, 7: DeliveryFlags.CLOSE}


def test_own_line_is_echoed_in_the_rich_dialect_only() -> None:
    outbox = Outbox()
    outbox.broadcasts += [entry(1, 1), entry(2, 2)]
    outbox.audience = audience_of({PLAIN: [2], RICH: [1]})
    delivered = {number: data for number, data, _ in outbox}
    assert delivered[1] == RICH.encode(outbox.broadcasts[0].event) + RICH.encode(outbox.broadcasts[1].event)
    assert delivered[2] == b"n1: line 1\n"


def test_a_letter_finds_its_place_between_two_lines() -> None:
    outbox = Outbox()
    outbox.broadcasts.append(entry(1))
    outbox.add(2, b"*** between\n")
    outbox.broadcasts.append(entry(2))
    outbox.audience = audience_of({PLAIN: [2]})
    assert list(outbox) == [(2, b"n0: line 1\n*** between\nn0: line 2\n", DeliveryFlags.NONE)]


def test_new_member_gets_no_broadcast_before_its_welcome() -> None:
    outbox = Outbox()
    outbox.broadcasts.append(entry(1))
    outbox.add(5, b"*** try another nickname\n")
    outbox.broadcasts.append(entry(2))
    outbox.add(5, b"welcome\n", DeliveryFlags.JOINED)
    outbox.broadcasts.append(entry(3))
    outbox.audience = audience_of({PLAIN: [5]})
    assert list(outbox) == [(5, b"*** try another nickname\nwelcome\nn0: line 3\n", DeliveryFlags.JOINED)]


def test_leaving_member_gets_broadcasts_before_its_goodbye_only() -> None:
    outbox = Outbox()
    outbox.broadcasts.append(entry(1))
    outbox.add(4, b"*** goodbye\n", DeliveryFlags.CLOSE)
    outbox.departed[4] = PLAIN
    outbox.broadcasts.append(entry(2))
    assert list(outbox) == [(4, b"n0: line 1\n*** goodbye\n", DeliveryFlags.CLOSE)]


def test_join_and_leave_in_one_outbox_gets_all_between() -> None:
    outbox = Outbox()
    outbox.broadcasts.append(entry(1))
    outbox.add(4, b"welcome\n", DeliveryFlags.JOINED)
    outbox.broadcasts.append(entry(2))
    outbox.add(4, b"*** goodbye\n", DeliveryFlags.CLOSE)
    outbox.departed[4] = PLAIN
    outbox.broadcasts.append(entry(3))
    assert list(outbox) == [(4, b"welcome\nn0: line 2\n*** goodbye\n", DeliveryFlags.JOINED | DeliveryFlags.CLOSE)]


def test_two_blocks_of_one_connection_merge_to_the_longer() -> None:
    outbox = Outbox()
    for seconds in (5.0, 3.191, 0.3):
        outbox.add(4, b"", DeliveryFlags.BLOCK | int(seconds * 1000) << DeliveryFlags.SHIFT)
    outbox.add(4, b"welcome\n", DeliveryFlags.JOINED)
    assert list(outbox) == [(4, b"welcome\n", DeliveryFlags.JOINED | DeliveryFlags.BLOCK | 5000 << DeliveryFlags.SHIFT)]
