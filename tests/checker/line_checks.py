"""Checks of lines: acknowledgements, refusals, unchanged texts, and the order of each sender. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from tests.checker.history import Ending, History, PlainHistory, said_in


def acknowledged_lines_have_one_seq(history: History) -> Iterator[str]:
    """An acknowledged line has exactly one seq in its epoch, and the same id again gets the same seq."""
    where: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for epoch, order in history.orders().items():
        for said in said_in(order):
            if said.id:
                where[epoch, said.id].append(said.seq)
    for (epoch, id), seqs in where.items():
        if len(seqs) > 1:
            yield f"epoch {epoch}: line {id} was told {len(seqs)} times, as {seqs}"
    for member in history.members:
        for operation in member.operations.values():
            for epoch, seq in operation.acknowledged:
                told = where.get((epoch, operation.id), [])
                if seq not in told:
                    yield f"epoch {epoch}: {member.name}'s {operation.text!r} was acknowledged as {seq}, told as {told}"


def all_lines_are_answered(history: History) -> Iterator[str]:
    """Each line is acknowledged or refused in the end; those before a goodbye are answered before the goodbye."""
    for member in history.members:
        unknown = [op for op in member.operations.values() if not (op.acknowledged or op.refused)]
        took_leave = bool(member.stays) and member.stays[-1].ending is Ending.QUIT
        if unknown and (member.present_at_end or took_leave):
            yield f"{member.name} never heard what became of {len(unknown)} lines, the first {unknown[0].text!r}"


def refused_lines_are_not_delivered(history: History) -> Iterator[str]:
    """A refused line is not delivered in that epoch."""
    said = {(epoch, line.id) for epoch, order in history.orders().items() for line in said_in(order)}
    for member in history.members:
        for operation in member.operations.values():
            for epoch, code in operation.refused:
                if (epoch, operation.id) in said:
                    yield f"epoch {epoch}: {member.name}'s line {operation.id} was refused ({code}), and said"


def only_said_lines_are_delivered(history: History) -> Iterator[str]:
    """Each delivered line was said by that member, with that text, and as an action or not."""
    lines = {op.id: (member, op) for member in history.members for op in member.operations.values()}
    plain_nicks = {text: stay.nick for person in history.plain for stay in person.stays for text in stay.said}
    for epoch, order in history.orders().items():
        for said in said_in(order):
            if not said.id:
                if said.text not in plain_nicks:
                    yield f"epoch {epoch}: event {said.seq} says {said.text[:60]!r}, which nobody said"
                elif said.nick != plain_nicks[said.text]:
                    yield f"epoch {epoch}: event {said.seq} of {plain_nicks[said.text]} is told as {said.nick}'s"
            elif said.id not in lines:
                yield f"epoch {epoch}: event {said.seq} has the id {said.id!r}, which nobody gave"
            else:
                member, operation = lines[said.id]
                if said.text != operation.text:
                    yield f"epoch {epoch}: event {said.seq} says {said.text[:60]!r} for {operation.text[:60]!r}"
                if said.action != operation.action:
                    yield f"epoch {epoch}: event {said.seq} is told as {'an' if said.action else 'no'} action"
                if said.nick not in member.nicks:
                    yield f"epoch {epoch}: event {said.seq} of {member.name} is told as {said.nick}'s"


def senders_keep_their_order(history: History) -> Iterator[str]:
    """The lines of a sender are delivered in the order in which it said them."""
    owner = {op.id: (member, op) for member in history.members for op in member.operations.values()}
    texts = {text: (person.name, n) for person in history.plain for n, text in enumerate(_plain_texts(person))}
    for epoch, order in history.orders().items():
        newest: dict[str, int] = {}
        for said in said_in(order):
            if said.id in owner:
                name, count = owner[said.id][0].name, owner[said.id][1].invoked
            elif said.text in texts:
                name, count = texts[said.text]
            else:
                continue
            if count <= newest.get(name, -1):
                yield f"epoch {epoch}: event {said.seq} is line {count} of {name}, after its line {newest[name]}"
            newest[name] = max(count, newest.get(name, -1))


def _plain_texts(person: PlainHistory) -> Iterator[str]:
    for stay in person.stays:
        yield from stay.said
