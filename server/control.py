"""ServerControl: requests to the running model from other code, and the event that stops it."""

import os
import select
from math import inf
from time import monotonic

from protocol.messages import Model

SHUTDOWN_TIMEOUT = 1.7
"""Seconds from being asked to end to the last goodbye, so that the server is gone within two."""


class StopEvent:
    """Asks a model to stop. A signal handler, another thread or the room may use it.

    Once asked it is true, and its file descriptor is readable, which wakes all threads that wait on it.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._asked = False

    def __bool__(self) -> bool:
        return self._asked

    def fileno(self) -> int:
        return self._read

    def wait(self, seconds: float) -> None:
        """Return once the model is asked to stop, or after so many seconds."""
        poller = select.poll()
        poller.register(self, select.POLLIN)
        poller.poll(seconds * 1000)

    def ask(self) -> None:
        """Ask the running model to stop and to give its connections back."""
        if not self._asked:
            self._asked = True
            os.write(self._write, b"!")

    def clear(self) -> None:
        """The model has stopped; the next may start."""
        if self._asked:
            os.read(self._read, 1)
            self._asked = False


class ServerControl:
    """The requests to the running model, from a signal handler, the room or another thread."""

    def __init__(self) -> None:
        self.stop = StopEvent()
        self.model: Model | None = None
        """The model that is asked for, until the running one has stopped."""
        self.closing = ""
        """The reason for the end, once the server is asked to end."""
        self.deadline = inf
        """The deadline of the goodbyes, in seconds of the monotonic clock."""

    def switch(self, model: Model) -> bool:
        """Ask for another model; False while the running one has been asked to stop already."""
        if self.model is not None or self.closing:
            return False
        self.model = model
        self.stop.ask()
        return True

    def close(self, reason: str) -> None:
        """Ask the server to end."""
        self.closing, self.deadline = reason, min(self.deadline, monotonic() + SHUTDOWN_TIMEOUT)
        self.stop.ask()
