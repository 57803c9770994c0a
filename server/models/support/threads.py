"""Support for the thread model: it starts a thread for each connection, and can wake each of them."""

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
"""Seconds for `sys.setswitchinterval` while a thousand threads end. Each thread that waits for the interpreter requests
it once in each interval, by default 200 times a second."""


class Wakeup:
    """A descriptor that any thread can make readable: an eventfd on Linux, a pipe on other systems.

    Raises OSError if the system has no descriptor left.
    """

    def __init__(self) -> None:
        if hasattr(os, "eventfd"):
            self._read = self._write = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._read, self._write = os.pipe()
            os.set_blocking(self._read, False)
            os.set_blocking(self._write, False)
        self._lock = threading.Lock()
        """Guards `_closed`. After closing, the number of the descriptor may be in use for another file."""
        self._closed = False

    def fileno(self) -> int:
        return self._read

    def set(self) -> None:
        """Make it readable. Does nothing if it is closed."""
        with self._lock:
            if not self._closed:
                try:
                    os.write(self._write, (1).to_bytes(8, sys.byteorder))  # An eventfd expects an integer of 8 bytes.
                except BlockingIOError:
                    pass  # A full pipe is readable.

    def clear(self) -> None:
        """Make it unreadable. Must be called before the thread checks the reason of the wake-up."""
        try:
            os.read(self._read, 4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Close the descriptors. Must be called once."""
        with self._lock:
            self._closed = True
            os.close(self._read)
            if self._write != self._read:
                os.close(self._write)


class Waiter(PeerPoll):
    """Lets a thread sleep until its connection is ready or due, `wake` is called, or `stopping` is set."""

    def __init__(self, connection: Connection, stopping: StopEvent) -> None:
        """Raises OSError if the system has no descriptor left."""
        self._wakeup = Wakeup()
        super().__init__(connection, self._wakeup, stopping)
        self._connection = connection
        self._clock = ReadyClock()

    @property
    def ready_since(self) -> float:
        """Since when the connection may have been ready at the last `wait`, in seconds of the monotonic clock."""
        return self._clock.ready_since

    def wait(self) -> int:
        """Sleep. Returns the readiness of the connection, as flags of `selectors`."""
        # If another thread changes the connection after this line, its wake-up ends the sleep at once.
        now = monotonic()
        self.expect(self._connection.interest(now))
        flags = dict(self._clock.wait(self.sleep, self._connection.session.next_deadline(now)))
        if self._wakeup.fileno() in flags:
            self._wakeup.clear()
        return self.ready(flags.get(self._connection.fileno(), 0))

    def wake(self) -> None:
        """End the current sleep, or the next one. Safe to call from any thread."""
        self._wakeup.set()

    def close(self) -> None:
        """The thread has ended."""
        self._wakeup.close()


class Threads:
    """Starts threads, wakes them, and waits for them to end. Safe to use from all threads."""

    def __init__(self, stopping: StopEvent) -> None:
        """All threads wake when `stopping` is set."""
        self._stopping = stopping
        self._waiters: dict[int, Waiter] = {}
        self._running: set[threading.Thread] = set()
        self._lock = threading.Lock()
        """Guards `_running`, which holds exactly the threads that have started and have not ended."""

    def start(self, work: Callable[[Connection, Waiter], None], connection: Connection) -> None:
        """Run `work` in a new thread. Raises OSError if the system has no thread or descriptor left."""
        waiter = Waiter(connection, self._stopping)
        number = connection.number

        def run() -> None:
            try:
                work(connection, waiter)
            finally:
                self._waiters.pop(number, None)
                waiter.close()
                with self._lock:  # Last, because `join` returns when the set is empty.
                    self._running.discard(thread)

        thread = threading.Thread(target=run, name=f"chat-{number}", daemon=True)
        self._waiters[number] = waiter  # First: another thread may wake this one as soon as it runs.
        with self._lock:
            try:
                thread.start()
            except RuntimeError as error:
                del self._waiters[number]
                waiter.close()
                raise OSError(errno.EAGAIN, str(error)) from error
            self._running.add(thread)

    def wake(self, connection: Connection) -> None:
        """Wake the thread of this connection. Does nothing if it has ended."""
        if (waiter := self._waiters.get(connection.number)) is not None:
            waiter.wake()

    def join(self) -> None:
        """Wait until all threads have ended, including those that start meanwhile."""
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
