"""ClientView: the calls that a RoomClient makes to its views, with events of the room and the client's own notes.

Views: the views of one client.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from protocol.client import Received
from protocol.messages import Goodbye, Refused, Welcome


class Note(Struct, frozen=True):
    """A sentence of the client itself, to be shown among the events of the room."""

    sentence: str
    is_error: bool = False


Item = Received | Note


class ClientView:
    """A view of a client. The client calls these methods after its own state has changed. A view overrides those that
    it needs; the others do nothing."""

    watches_meter = False
    """Whether an operator's view shows the readings of the meter."""

    def show_items(self, items: Sequence[Item]) -> None:
        """Show events of the room and notes, in order. The list may be empty: other state has changed then."""

    def link_changed(self) -> None:
        """The state of the link or of the hosted server has changed."""

    def room_opened(self) -> None:
        """The hosted server listens, and the client knows its address."""

    def joined(self, welcome: Welcome) -> None:
        """The room has let the client in. The items of the welcome follow."""

    def rejected(self, goodbye: Goodbye) -> None:
        """The room has not let the client in."""

    def nick_refused(self, refused: Refused) -> None:
        """The room has refused the nickname. The client waits for another one (`try_nick`)."""

    def nick_changed(self) -> None:
        """The client has another nickname."""

    def mentioned(self) -> None:
        """A live line names this client."""

    def command_unsent(self, sentence: str) -> None:
        """A command was not sent, because there is no connection. The sentence is among the items as well."""

    def line_deferred(self) -> None:
        """A line of this client waits for slow mode."""


class Views:
    """The views of a client. Items from before the first view that shows them are kept for it."""

    def __init__(self) -> None:
        self._views: list[ClientView] = []
        self._unshown: list[Item] | None = []
        """Items from before the first view that shows them; None from then on."""

    def attach(self, view: ClientView, *, shows_items: bool) -> None:
        """Call the methods of `view` from now on. If it `shows_items`, it gets those that were kept."""
        self._views.append(view)
        if shows_items and self._unshown is not None:
            waiting, self._unshown = self._unshown, None
            if waiting:
                view.show_items(waiting)

    def tell(self, call: Callable[[ClientView], None]) -> None:
        """Call a method of each view."""
        for view in self._views:
            call(view)

    def show(self, items: list[Item]) -> None:
        """Show these items in each view."""
        if self._unshown is not None:
            self._unshown += items
        self.tell(lambda view: view.show_items(items))

    @property
    def watch_meter(self) -> bool:
        """Whether one of the views shows the readings of the meter."""
        return any(view.watches_meter for view in self._views)
