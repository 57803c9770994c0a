"""AwaitedAnswers: the requests of a client that the room has not answered yet. Pure."""

from collections import deque

from protocol.messages import Command, StatusRequest, Who


class AwaitedAnswers:
    """The requests on one connection, from the welcome on: those of an earlier one get no answer."""

    def __init__(self) -> None:
        self.typed_command = ""
        """The text of the last request if it was a typed command; empty after another request and after
        `take_typed_command`."""
        self.is_status_due = False
        """Whether the person waits for the status."""
        self.is_roster_due = False
        """Whether the room has sent the roster that the person has asked for, and it is not shown yet."""
        self._rosters = deque([False])
        """For each expected `people`, whether the person asked for it. The link asks for the first one."""

    def add(self, command: Command) -> None:
        """Expect the answer to a request of the person."""
        match command:
            case Who():
                self._rosters.append(True)
            case StatusRequest():
                self.is_status_due = True

    def on_people(self) -> None:
        """Record that a roster has arrived."""
        self.is_roster_due |= bool(self._rosters) and self._rosters.popleft()

    def take_status(self) -> bool:
        """Record that the status has arrived. Returns whether the person waited for it."""
        was_due, self.is_status_due = self.is_status_due, False
        return was_due

    def take_typed_command(self) -> str:
        """The text of the last request if it was a typed command, once; empty otherwise."""
        text, self.typed_command = self.typed_command, ""
        return text
