"""InputQueue: delivers what a terminal sends in order, each event once the one before it has been handled fully.

Textual sends a key to the widget that has the focus at that moment. What the key before it does may still be on its way
through several message queues: a screen opens or closes, the focus moves. Keys that are typed fast, or that arrive in
one read, would reach the wrong widget, or none.
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
"""How long an event waits while nothing goes on. After this the order is worth less than that the keyboard works."""
MAX_THOROUGH_WAIT_S = 1.0
"""After this only the way of a key is looked at: on a busy screen some widget may always have something to do."""
URGENT_KEYS = frozenset({"ctrl+q", "ctrl+c"})
MAX_URGENT_WAIT_S = 0.5
"""After this the urgent keys overtake all others."""
EAGER_PASSES = 100
"""Passes of the event loop that are looked at one by one; most keys are handled within ten."""
POLL_INTERVAL_S = 0.005
MAX_UNSETTLED = 200
"""Events delivered without waiting between them. It bounds the queue of keys that an urgent key cannot overtake."""
MAX_HELD = 10_000
"""Events that are kept for later; those beyond are dropped."""
MAX_QUEUED = 20_000
"""With more events in the queue, they are delivered without waiting."""


class InputQueue:
    """Needs a running event loop, and is used from its thread only."""

    def __init__(
        self,
        deliver: Callable[[events.Event], object],
        *,
        is_settled: Callable[[bool], bool],
        keeps_focus: Callable[[events.Event], bool],
        is_held: Callable[[events.Event], bool],
    ) -> None:
        """`deliver` sends an event on. `is_settled` tells whether all that was delivered has been handled: with True,
        whether the whole screen has nothing to do; with False, whether that which gets the keys has not.
        `keeps_focus` tells of an event that it can neither move the focus nor be sent elsewhere by one that does:
        such events do not wait for each other. Events for which `is_held` are kept until `release`."""
        self._deliver, self._is_settled = deliver, is_settled
        self._keeps_focus, self._is_held = keeps_focus, is_held
        self._waiting: deque[events.Event] = deque()
        self._held: list[events.Event] = []
        self._draining: asyncio.Task[None] | None = None
        self._unsettled = 0
        """Events delivered since all was settled last."""
        self._waiting_since = 0.0
        """When all was settled last, or the first of those that wait came after that."""

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
        """Deliver what was held, and `then`, before all that waits."""
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
        """Deliver the first event, and those that need not wait for it."""
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
        """Wait until all is handled that was delivered, for MAX_WAIT_S at most. Of MAX_UNSETTLED events that all went
        to the same widget, only the way to it is looked at."""
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
    """Whether the pump waits for a message: it has handled all that came before, callbacks among them."""
    # Neither asyncio nor Textual tells it: while a queue is empty, its last message may still be being handled.
    waiters = cast(Any, pump._message_queue.ready_event)._waiters
    return any(not waiter.done() for waiter in waiters)
