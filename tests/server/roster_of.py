"""How a reader keeps the roster by presence events, written down once more and as plainly as can be."""

from protocol.messages import Presence


def applied(people: set[str], presence: Presence) -> set[str]:
    """Who is here after `presence`: those who left go, then all renames at once, then those who joined come.

    Raises AssertionError where the event does not fit who is here: nobody leaves or is renamed who is not here, and
    no two are here under one name.
    """
    left, joined, renamed = presence.left, presence.joined, dict(presence.renamed)
    assert set(left) <= people
    stayed = people - set(left)
    assert set(renamed) <= stayed
    now = [renamed.get(nick, nick) for nick in stayed] + joined
    assert len(set(now)) == len(now)
    return set(now)
