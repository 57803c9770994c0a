"""InputQueue: delivers the events of a terminal in order, each once the event before it has been handled fully.

Textual sends a key to the widget that has the focus at that moment. The effect of the key before it, such as a screen
that opens or a focus that moves, may still be on its way through several message queues. Keys that are typed fast, or
that arrive in one read, would reach the wrong widget, or none.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from textual import events
from textual.dom import DOMNode
from textual.message_pump import MessagePump

MAX_WAIT_S = 10.0
"""How long an event waits at most. After that, a working keyboard is worth more than the order."""
MAX_THOROUGH_WAIT_S = 1.0
"""After this time only the widgets on the path of a key are checked: on a busy screen, some widget is always busy."""
URGENT_KEYS = frozenset({"ctrl+q", "ctrl+c"})
MAX_URGENT_WAIT_S = 0.5
"""After this time the urgent keys overtake all others."""
EAGER_PASSES = 100
"""Passes of the event loop that are checked one by one; most keys are handled within ten."""
POLL_INTERVAL_S = 0.005
MAX_UNSETTLED = 200
"""Events delivered without waiting between them. It bounds the queue of keys that an urgent key cannot overtake."""
MAX_HELD = 10_000
"""Held events beyond this number are dropped."""
MAX_QUEUED = 20_000
"""With more events in the queue, they are delivered without waiting."""


class InputQueue:
    """It needs a running event loop, and is used from its thread only."""

    def __init__(
        self,
        deliver: Callable[[events.Event], object],
        *,
        is_settled: Callable[[bool], bool],
        keeps_focus: Callable[[events.Event], bool],
        is_held: Callable[[events.Event], bool],
    ) -> None:
        """`deliver` sends an event on. `is_settled` tells whether all delivered events have been handled: with True,
        whether the whole screen is idle; with False, whether the widgets on the path of a key are. `keeps_focus` tells
        whether an event leaves the focus where it is: such events do not wait for each other. Events for which
        `is_held` is true are kept until `release`."""
        self._deliver, self._is_settled = deliver, is_settled
        self._keeps_focus, self._is_held = keeps_focus, is_held
        self._waiting: deque[events.Event] = deque()
        self._held: list[events.Event] = []
        self._draining: asyncio.Task[None] | None = None
        self._unsettled = 0
        """Events delivered since all was settled last."""
        self._waiting_since = 0.0
        """The time when all was settled last, or when the first waiting event came after that."""

    def put(self, event: events.Event) -> None:
        """Deliver the event in its turn."""
        if self._draining is None and not self._is_held(event) and self._keeps_focus(event):
            self._deliver(event)
            self._unsettled += 1
            if self._unsettled >= MAX_UNSETTLED:
                self._start_draining()
            return
        self._add(event)
        if isinstance(event, events.Key) and event.key in URGENT_KEYS:
            asyncio.get_running_loop().call_later(MAX_URGENT_WAIT_S, self._overtake, event)

    def release(self, then: events.Event | None = None) -> None:
        """Deliver the held events, and `then`, before the waiting ones."""
        waiting = list(self._waiting)
        self._waiting.clear()
        held, self._held = self._held, []
        for event in (*held, *([then] if then else []), *waiting):
            self._add(event)

    def _add(self, event: events.Event) -> None:
        if not self._waiting:
            self._waiting_since = time.monotonic()
        self._waiting.append(event)
        self._start_draining()

    def _start_draining(self) -> None:
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain(), name="input-queue")

    def _overtake(self, event: events.Event) -> None:
        if event in self._waiting:
            self._waiting.remove(event)
            self._deliver(event)

    async def _drain(self) -> None:
        try:
            await self._settle()
            while self._waiting:
                self._deliver_next()
                await self._settle()
        finally:
            self._draining = None

    def _deliver_next(self) -> None:
        """Deliver the first event, and the following ones that need not wait for it."""
        while self._waiting:
            event = self._waiting.popleft()
            if self._is_held(event):
                if len(self._held) < MAX_HELD:
                    self._held.append(event)
                continue
            keeps_focus = self._keeps_focus(event)
            self._deliver(event)
            self._unsettled += 1
            may_go_on = keeps_focus and self._unsettled < MAX_UNSETTLED
            if not (may_go_on and self._waiting and self._keeps_focus(self._waiting[0])):
                return

    async def _settle(self) -> None:
        """Wait until all delivered events are handled, for MAX_WAIT_S at most. After MAX_UNSETTLED events for one
        widget, only the path to it is checked."""
        is_full, self._unsettled = self._unsettled >= MAX_UNSETTLED, 0
        passes = EAGER_PASSES if is_full else 0
        await asyncio.sleep(0)
        while not self._is_settled(not is_full and time.monotonic() < self._waiting_since + MAX_THOROUGH_WAIT_S):
            if time.monotonic() >= self._waiting_since + MAX_WAIT_S or len(self._waiting) > MAX_QUEUED:
                return
            passes += 1
            await asyncio.sleep(0 if passes < EAGER_PASSES else POLL_INTERVAL_S)
        self._waiting_since = time.monotonic()
        if is_full and self._waiting and not self._keeps_focus(self._waiting[0]):
            await self._settle()


def has_handled_all(root: DOMNode) -> bool:
    """Whether `root` and all nodes below it have handled the messages that they were sent."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if not is_waiting(node):
            return False
        nodes.extend(node.children)
    return True


def is_waiting(pump: MessagePump) -> bool:
    """Whether the pump waits for a message, and has handled all messages and callbacks before."""
    # asyncio and Textual have no interface for this: while a queue is empty, its last message may still be in work.
    waiters = cast(Any, pump._message_queue.ready_event)._waiters
    return any(not waiter.done() for waiter in waiters)
