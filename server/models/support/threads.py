"""One thread for each connection, and a way to wake each of them: what the thread model stands on."""

import errno
import os
import sys
import threading
from collections.abc import Callable
from time import monotonic

from server.connection import Connection
from server.control import StopEvent
from server.models.support.poller import PeerPoll, ReadyClock

QUIET_SWITCH_INTERVAL = 1.0
"""Seconds for `sys.setswitchinterval` while a thousand threads end. Each thread that waits for the interpreter asks for
it once in an interval: 200 times a second by default."""


class Wakeup:
    """A descriptor that any thread can make readable: an eventfd where there is one (Linux), else a pipe.

    Raises OSError where no descriptors are left.
    """

    def __init__(self) -> None:
        if hasattr(os, "eventfd"):
            self._read = self._write = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._read, self._write = os.pipe()
            os.set_blocking(self._read, False)
            os.set_blocking(self._write, False)
        self._lock = threading.Lock()
        """Guards `_closed`: written to any later, the descriptor could be another's by then."""
        self._closed = False

    def fileno(self) -> int:
        return self._read

    def set(self) -> None:
        """Make it readable. Harmless once it is closed."""
        with self._lock:
            if not self._closed:
                try:
                    os.write(self._write, (1).to_bytes(8, sys.byteorder))  # An eventfd takes a number of 8 bytes.
                except BlockingIOError:
                    pass  # A pipe that is full of wake-ups is readable.

    def clear(self) -> None:
        """Make it unreadable. To be called before looking for what the wake-up was about."""
        try:
            os.read(self._read, 4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Give the descriptors back. To be called once."""
        with self._lock:
            self._closed = True
            os.close(self._read)
            if self._write != self._read:
                os.close(self._write)


class Waiter(PeerPoll):
    """How a thread sleeps: until its connection is ready or due, `wake` is called, or the model is to stop."""

    def __init__(self, connection: Connection, stopping: StopEvent) -> None:
        """Raises OSError where no descriptor is left."""
        self._wakeup = Wakeup()
        super().__init__(connection, self._wakeup, stopping)
        self._connection = connection
        self._clock = ReadyClock()

    @property
    def ready_since(self) -> float:
        """Since when what was found last may have been ready, in seconds of the monotonic clock."""
        return self._clock.ready_since

    def wait(self) -> int:
        """Sleep; returns what the connection is ready for, as `selectors` has it."""
        # A change to the connection after this line has its wake-up, and so ends the sleep at once.
        now = monotonic()
        self.expect(self._connection.interest(now))
        flags = dict(self._clock.wait(self.sleep, self._connection.session.due(now)))
        if self._wakeup.fileno() in flags:
            self._wakeup.clear()
        return self.ready(flags.get(self._connection.fileno(), 0))

    def wake(self) -> None:
        """End the sleep of this moment, or the next one. Safe to call from any thread."""
        self._wakeup.set()

    def close(self) -> None:
        """The thread has ended."""
        self._wakeup.close()


class Threads:
    """Starts threads, wakes them, and waits for their ends. Safe to use from all of them."""

    def __init__(self, stopping: StopEvent) -> None:
        """All threads wake when `stopping` is set."""
        self._stopping = stopping
        self._waiters: dict[int, Waiter] = {}
        self._running: set[threading.Thread] = set()
        self._lock = threading.Lock()
        """Guards `_running`: a thread in it has started, and a thread that has started is in it."""

    def start(self, work: Callable[[Connection, Waiter], None], connection: Connection) -> None:
        """Run `work` in a thread of its own. Raises OSError where the system has no thread or descriptor left."""
        waiter = Waiter(connection, self._stopping)
        number = connection.number

        def run() -> None:
            try:
                work(connection, waiter)
            finally:
                self._waiters.pop(number, None)
                waiter.close()
                with self._lock:  # Last: once it is not in there any more, nothing of it is left.
                    self._running.discard(thread)

        thread = threading.Thread(target=run, name=f"chat-{number}", daemon=True)
        self._waiters[number] = waiter  # First: another thread may have to wake this one as soon as it runs.
        with self._lock:
            try:
                thread.start()
            except RuntimeError as error:
                del self._waiters[number]
                waiter.close()
                raise OSError(errno.EAGAIN, str(error)) from error
            self._running.add(thread)

    def wake(self, connection: Connection) -> None:
        """Let the thread of this connection look at it again. Harmless if it has ended."""
        if (waiter := self._waiters.get(connection.number)) is not None:
            waiter.wake()

    def join(self) -> None:
        """Wait until all have ended, including those that are started meanwhile."""
        interval = sys.getswitchinterval()
        sys.setswitchinterval(QUIET_SWITCH_INTERVAL)
        try:
            while running := self._snapshot():
                for thread in running:
                    thread.join()
        finally:
            sys.setswitchinterval(interval)

    def _snapshot(self) -> list[threading.Thread]:
        with self._lock:
            return list(self._running)
