"""Bell: wakes all threads that sleep by it, with poll(2), at once."""

import os


class Bell:
    """It rings once, and from then on nobody sleeps by it: whoever wants to sleep again does so by a new one.

    So nobody has to silence it when all have heard it, which nobody can know. Raises OSError where no descriptors are
    left.
    """

    def __init__(self) -> None:
        self._open = list(os.pipe())

    def fileno(self) -> int:
        """Readable once it has rung."""
        return self._open[0]

    def ring(self) -> None:
        """Wake everybody. Harmless to do twice."""
        while len(self._open) > 1:
            os.close(self._open.pop())

    def __del__(self) -> None:
        """Nobody sleeps by it any more: each who does holds it."""
        for descriptor in self._open:
            os.close(descriptor)
