"""Order: whether one member was told every number once, and in order. Pure."""

from protocol.messages import MAX_COUNT

MAX_MISSING = 2_000
"""Numbers remembered as missing, for which they may still come. What is skipped beyond that is only counted."""


class SequenceChecker:
    """What one member saw of the numbered events. A number that was skipped counts as lost until it comes."""

    def __init__(self) -> None:
        self.last = 0
        """The highest number seen."""
        self.doubled = 0
        self.disordered = 0
        self.reported_gaps = 0
        """Events the room said openly it could not bring any more."""
        self._missing: set[int] = set()
        self._skipped = 0

    @property
    def lost(self) -> int:
        """Events that never came although the room told of no gap."""
        return len(self._missing) + self._skipped

    def begin(self, seq: int) -> None:
        """The room welcomes us as somebody new: what comes next follows `seq`."""
        self.last = seq

    def gap(self, missed: int) -> None:
        """The room says that the next `missed` events are not kept any more."""
        self.reported_gaps += missed
        self.last = min(self.last + missed, MAX_COUNT)

    def see(self, seq: int) -> None:
        """An event with this number came."""
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
        """Everything up to this number should have come by now."""
        if len(self._missing) + seq - self.last > MAX_MISSING:
            self._skipped += seq - self.last
        elif seq > self.last:
            self._missing.update(range(self.last + 1, seq + 1))
        self.last = max(self.last, seq)
