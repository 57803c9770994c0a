"""Checks of the roster, and of the ends of connections. Pure."""

from collections import Counter
from collections.abc import Iterator

from protocol.messages import Presence, Sequenced
from tests.checker.history import Ending, History


def rosters_agree(history: History) -> Iterator[str]:
    """The roster at a seq follows from the presence events up to it, and is the same for all members."""
    named: dict[tuple[str, int], list[str]] = {}
    for member, stay in history.stays():
        for roster in stay.rosters:
            heard = stay.events[roster.place - 1].seq if roster.place else stay.welcome_seq
            if roster.seq != heard:
                yield f"epoch {stay.epoch}: {member.name} got the roster of {roster.seq} when it had heard {heard}"
            other = named.setdefault((stay.epoch, roster.seq), roster.people)
            if sorted(other) != sorted(roster.people):
                differ = sorted(set(other) ^ set(roster.people))
                yield f"epoch {stay.epoch}: two members were told different rosters as of {roster.seq}: {differ[:5]}"
    for epoch, order in history.orders().items():
        yield from _fold(epoch, order, {seq: people for (e, seq), people in named.items() if e == epoch})


def _fold(epoch: str, order: dict[int, Sequenced], named: dict[int, list[str]]) -> Iterator[str]:
    # If no member was there from the beginning, start from the first roster that was sent.
    start = 0 if 1 in order else min(named, default=max(order, default=0))
    people = Counter(named.get(start, ()))
    for seq in sorted(seq for seq in {*order, *named} if seq > start):
        if isinstance(event := order.get(seq), Presence):
            yield from _apply(epoch, event, people)
        if seq in named and sorted(people.elements()) != sorted(named[seq]):
            differ = sorted(set(people) ^ set(named[seq]))
            yield f"epoch {epoch}: the roster told as of {seq} is not what was told up to it: {differ[:5]}"


def _apply(epoch: str, event: Presence, people: Counter[str]) -> Iterator[str]:
    gone = [*event.left, *(before for before, _ in event.renamed)]
    for nick in gone:
        if not people[nick]:
            yield f"epoch {epoch}: event {event.seq} says that {nick} left or was renamed, who was not there"
        people[nick] -= 1
        people += Counter()
    for nick in [*(after for _, after in event.renamed), *event.joined]:
        people[nick] += 1
        if people[nick] > 1:
            yield f"epoch {epoch}: event {event.seq} brings a second {nick}"


def last_roster_is_true(history: History) -> Iterator[str]:
    """In the end the roster of each member has exactly the nicknames in the room."""
    here = sorted(member.stays[-1].nick for member in history.members if member.present_at_end)
    here = sorted([*here, *(person.stays[-1].nick for person in history.plain if person.present_at_end)])
    for member in history.members:
        if member.present_at_end and sorted(member.people_at_end) != here:
            differ = sorted(set(member.people_at_end) ^ set(here))
            yield f"at the end {member.name} sees other people than are there: {differ[:5]}"


def no_connection_is_dropped(history: History) -> Iterator[str]:
    """A connection ends only if its participant or the nemesis ended it."""
    for person in [*history.members, *history.plain]:
        for stay in person.stays:
            if stay.ending is Ending.DROPPED:
                yield f"epoch {stay.epoch}: {person.name} was dropped: {stay.reason}"


def no_client_is_rejected(history: History) -> Iterator[str]:
    """A client that gives a nickname in time is let in, also during a switch."""
    for person in [*history.members, *history.plain]:
        for words in person.rejections:
            yield f"{person.name} was turned away: {words}"


def all_lines_are_understood(history: History) -> Iterator[str]:
    """The server reads each line that a participant sent, never half of one or two in one."""
    for member, stay in history.stays():
        for words in stay.misunderstood:
            yield f"epoch {stay.epoch}: {member.name} was told: {words}"


def room_settles(history: History) -> Iterator[str]:
    """After the last disturbance all participants get in, catch up and are answered."""
    if not history.settled:
        away = [member.name for member in history.members if not member.present_at_end]
        yield f"it did not come to rest; away at the end: {', '.join(away[:10]) or 'nobody'}"
