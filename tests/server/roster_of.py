"""How a reader keeps the roster by presence events, written down once more and as plainly as can be."""

from protocol.messages import Presence


def applied(people: set[str], presence: Presence) -> set[str]:
    """The nicknames after `presence`: `left` is applied first, then all of `renamed` at once, then `joined`.

    Raises AssertionError if the event does not fit: a nickname that leaves or is renamed must be present, and no two
    members have one nickname.
    """
    left, joined, renamed = presence.left, presence.joined, dict(presence.renamed)
    assert set(left) <= people
    stayed = people - set(left)
    assert set(renamed) <= stayed
    now = [renamed.get(nick, nick) for nick in stayed] + joined
    assert len(set(now)) == len(now)
    return set(now)
