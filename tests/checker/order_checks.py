"""Checks of the one order of events, and of how each member gets it, on one connection and over several. Pure."""

from collections.abc import Iterator

from tests.checker.history import History, MemberHistory, Stay, said_in


def there_is_one_order(history: History) -> Iterator[str]:
    """A seq is the same event for all members, and each seq below the last was delivered to a member."""
    orders = history.orders()
    for member, stay in history.stays():
        for event in (*stay.history, *stay.events):
            if (first := orders[stay.epoch][event.seq]) is not event and first != event:
                yield f"epoch {stay.epoch}: event {event.seq} is {event} to {member.name}, and {first} to another"
    for epoch, order in orders.items():
        if holes := set(range(min(order, default=0), max(order, default=0))) - order.keys():
            # A new member gets only lines as history, so other events before the first welcome may be unknown.
            heard_from = min(stay.welcome_seq for _, stay in history.stays() if stay.epoch == epoch)
            if lost := sorted(seq for seq in holes if seq > heard_from):
                yield f"epoch {epoch}: nobody was ever told the events {lost[:10]}"


def members_get_all_events(history: History) -> Iterator[str]:
    """A connection gets exactly that order from its welcome to its end: nothing missing, doubled or swapped."""
    for member, stay in history.stays():
        expected = stay.welcome_seq + 1
        for event in stay.events:
            if event.seq != expected:
                kind = "after a gap" if event.seq > expected else "once more, or too late"
                yield f"epoch {stay.epoch}: {member.name} heard event {event.seq} {kind}; {expected} was next"
            expected = event.seq + 1


def resumes_continue(history: History) -> Iterator[str]:
    """A member that resumes is known, and gets exactly the events it missed, or their number if they are lost."""
    for member in history.members:
        before: Stay | None = None
        for stay in member.stays:
            if before is not None and before.epoch == stay.epoch:
                yield from _continues(member, before, stay, history.kept)
            if stay.resumed:
                seqs = [event.seq for event in stay.history]
                wanted = list(range((stay.after or 0) + stay.missed + 1, stay.welcome_seq + 1))
                if seqs != wanted:
                    yield (
                        f"epoch {stay.epoch}: {member.name} resumed after {stay.after} ({stay.missed} told missing) at "
                        f"{stay.welcome_seq}, and got {_ranges(seqs)}"
                    )
            before = stay


def _continues(member: MemberHistory, before: Stay, stay: Stay, kept: int) -> Iterator[str]:
    heard = before.events[-1].seq if before.events else before.welcome_seq
    if not stay.resumed:
        yield f"epoch {stay.epoch}: {member.name} came back with its token, and was not known"
    elif stay.after != heard:
        yield f"epoch {stay.epoch}: {member.name} had heard up to {heard}, and resumed after {stay.after}"
    elif stay.missed and stay.welcome_seq - heard <= kept:
        yield f"epoch {stay.epoch}: {member.name} was told a gap of {stay.missed}, though {kept} events are kept"


def new_members_get_history(history: History) -> Iterator[str]:
    """A new member gets the last lines before the welcome as history, in order, and none twice."""
    said = {epoch: said_in(order) for epoch, order in history.orders().items()}
    for member, stay in history.stays():
        if stay.resumed:
            continue
        shown = [event.seq for event in stay.history]
        last = [line.seq for line in said[stay.epoch] if line.seq <= stay.welcome_seq][-history.shown :]
        if shown != last:
            yield f"epoch {stay.epoch}: {member.name} was shown {_ranges(shown)}; the last were {_ranges(last)}"


def clients_pass_events_on_once(history: History) -> Iterator[str]:
    """ClientConnection passes on each event once and in order, in spite of broken connections."""
    for member, stay in history.stays():
        wanted, last = [], stay.after if stay.resumed else 0
        for event in (*stay.history, *stay.events):
            if event.seq > (last or 0):
                wanted.append(event.seq)
                last = event.seq
        if stay.passed_on != wanted:
            yield f"epoch {stay.epoch}: {member.name}'s client passed on {_ranges(stay.passed_on)} of {_ranges(wanted)}"


def _ranges(seqs: list[int]) -> str:
    """Format [1, 2, 3, 4, 6, 5] as "1-4, 6, 5"."""
    parts: list[list[int]] = []
    for seq in seqs:
        if parts and seq == parts[-1][1] + 1:
            parts[-1][1] = seq
        else:
            parts.append([seq, seq])
    words = [f"{first}-{last}" if last > first else str(first) for first, last in parts]
    return ", ".join([*words[:10], f"… ({len(words)} runs)"] if len(words) > 10 else words) or "nothing"
