"""SequenceChecker: detects numbered events that are lost, doubled or out of order. Pure."""

from protocol.messages import MAX_COUNT

MAX_MISSING = 2_000
"""Limit of the missing numbers that are remembered, as they may still arrive. Further ones are only counted."""


class SequenceChecker:
    """The numbered events that a member received. A skipped number counts as lost until it arrives."""

    def __init__(self) -> None:
        self.last = 0
        """The highest number received."""
        self.doubled = 0
        self.disordered = 0
        self.reported_gaps = 0
        """Events that the room reported as no longer available."""
        self._missing: set[int] = set()
        self._skipped = 0

    @property
    def lost(self) -> int:
        """Missing events that the room did not report as a gap."""
        return len(self._missing) + self._skipped

    def begin(self, seq: int) -> None:
        """Start a new session, whose next event follows `seq`."""
        self.last = seq

    def gap(self, missed: int) -> None:
        """Record that the room reported the next `missed` events as no longer available."""
        self.reported_gaps += missed
        self.last = min(self.last + missed, MAX_COUNT)

    def see(self, seq: int) -> None:
        """Record a received event."""
        if seq == self.last + 1:
            self.last = seq
        elif seq > self.last:
            self.expect(seq - 1)
            self.last = seq
        elif seq in self._missing:
            self._missing.remove(seq)
            self.disordered += 1
        else:
            self.doubled += 1

    def expect(self, seq: int) -> None:
        """Count all events up to `seq` that have not arrived as missing."""
        if len(self._missing) + seq - self.last > MAX_MISSING:
            self._skipped += seq - self.last
        elif seq > self.last:
            self._missing.update(range(self.last + 1, seq + 1))
        self.last = max(self.last, seq)
