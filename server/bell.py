"""Bell: wakes all threads that sleep by it, with poll(2), at once."""

import os


class Ring:
    """One ring of a bell, which is readable once it has come, and stays so."""

    def __init__(self) -> None:
        self._open: list[int] = []  # Where there is no pipe to be had, `__del__` finds this.
        self._open += os.pipe()

    def fileno(self) -> int:
        return self._open[0]

    def come(self) -> None:
        """Wake everybody. Harmless to do twice."""
        while len(self._open) > 1:
            os.close(self._open.pop())

    def __del__(self) -> None:
        """Nobody sleeps by it any more: each who does holds it."""
        for descriptor in self._open:
            os.close(descriptor)


class Bell:
    """Rings once and again. For each ring there is a pipe of its own: so nobody has to find out when all have heard the
    last one, to silence it. Raises OSError where no descriptors are left."""

    def __init__(self) -> None:
        self.next = Ring()
        """What to sleep by. Take it before you look whether there is something to do, or you may miss it."""

    def ring(self) -> bool:
        """Wake all who sleep; False where it cannot be done now, as no descriptors are left."""
        try:
            this, self.next = self.next, Ring()
        except OSError:
            return False
        this.come()
        return True

    def toll(self) -> None:
        """Wake all who sleep, and whoever comes later: this is the last time."""
        self.next.come()
