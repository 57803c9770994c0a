"""MessagePane: draws the rows of an EntryBuilder that a Viewport shows, and lays out only those in full.

It knows neither the network nor the clock.
"""

from collections.abc import Sequence

from textual import events
from textual.geometry import Offset, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from protocol.client import Received
from tui.message_log.builder import EntryBuilder
from tui.message_log.layout import columns_for
from tui.message_log.rendering import RowCache
from tui.message_log.search import Search
from tui.message_log.selection import END_X, copied
from tui.message_log.store import EntryStore, Viewport
from tui.widgets.pane_styles import COMPONENTS, DEFAULT_STYLES, theme_styles


class MessagePane(ScrollView, can_focus=False):
    """The pane. `add`, `add_own` and `note` add entries."""

    ALLOW_SELECT = True
    COMPONENT_CLASSES = COMPONENTS
    DEFAULT_CSS = DEFAULT_STYLES

    me: reactive[str] = reactive("", repaint=False)
    """The nickname of this client, as the room knows it."""
    show_times: reactive[bool] = reactive(True, repaint=False)
    away: reactive[bool] = reactive(False, repaint=False)
    """Whether another window has the focus. Entries that arrive meanwhile are marked as new."""

    class UnreadChanged(Message):
        """The number of lines of others below the visible rows has changed."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    class LinkOpened(Message):
        """A web address was clicked; http or https."""

        def __init__(self, url: str) -> None:
            super().__init__()
            self.url = url

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._builder = EntryBuilder()
        self._viewport = Viewport(self._builder.store)
        self._row_cache = RowCache(self._builder.store, lambda: theme_styles(self))
        self._unread = 0
        self._marked = False  # whether there is a mark for the time since the reader left
        self._moving = False
        self._laid_out = Size(0, 0)

    @property
    def entries(self) -> EntryStore:
        """The entries of the pane."""
        return self._builder.store

    @property
    def unread(self) -> int:
        """The number of lines of others that arrived while the end was out of view."""
        return self._unread

    # Messages of the pane

    def add(self, events: Sequence[Received]) -> None:
        """Show events of the room, in order. Events that do not belong into the pane are skipped."""
        before, self._builder.me = self.entries.next, self.me
        news = self._builder.add_events(events)
        self.me = self._builder.me
        if news.first is not None and not self._marked and (self.away or not self._viewport.follows_end):
            self._marked = True
            self.entries.set_mark(news.first)
            self._row_cache.clear()
        if not self._viewport.follows_end:
            self._count_unread(self._unread + news.lines)
        self._changed(before)

    def add_own(self, id: str, text: str, action: bool, at: float) -> None:
        """Show a line of this client, dim until its `said` with the same id arrives."""
        self._builder.me = self.me
        self._builder.add_pending(id, text, action, at)
        self.jump_to_end()

    def note(self, text: str, kind: str = "local") -> None:
        """Show a note of the client itself, and scroll to it. `kind` is `local` or `error`."""
        before = self.entries.next
        self._builder.add_note(text, kind)
        self._changed(before)
        self.jump_to_end()

    def clear(self) -> None:
        """Remove all entries, except for own lines that the room has not acknowledged."""
        self._builder.clear()
        self.clear_search()
        self.jump_to_end()

    def _changed(self, before: int) -> None:
        """Update the layout: entries from `before` on are new, the one before it may have changed, and pending lines
        have moved."""
        self._row_cache.forget(before - 1)
        self._look_through(before - 1)
        self._moved()

    # Where the reader is

    def jump_to_end(self) -> None:
        """Show the newest entry, and follow new ones."""
        self._viewport.follows_end = True
        self._redraw()

    def scroll_end(self, *args: object, **options: object) -> None:
        """The same as `jump_to_end`. The arguments of the animation are ignored."""
        self.jump_to_end()

    def _scroll_to(self, *args: object, **options: object) -> bool:
        """Scroll without an animation: by its end, the row number might belong to another row."""
        return super()._scroll_to(*args, **{**options, "animate": False})  # type: ignore[arg-type]  # as they came

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        # While the size is new, only its Resize knows what the numbers mean.
        if not self._moving and self.size == self._laid_out and round(old_value) != round(new_value):
            self._viewport.look_at(round(new_value))
            self._moved()

    def watch_away(self) -> None:
        self._moved()

    def _moved(self) -> None:
        """Draw the visible rows after a change of the entries or the size. The reader's place is kept."""
        if self._viewport.follows_end:
            self._count_unread(0)
            self._marked = self._marked and self.away
        if self.size:
            self._scroll_into_place()
            self.refresh()

    def _scroll_into_place(self) -> None:
        self._moving = True
        try:
            self.virtual_size = Size(self._row_cache.columns.width, self.entries.rows)
            y = self._viewport.y
            if y != round(self.scroll_y):
                self.scroll_y = self.scroll_target_y = y
        finally:
            self._moving = False

    def _count_unread(self, count: int) -> None:
        if count != self._unread:
            self._unread = count
            self.post_message(self.UnreadChanged(count))

    # Searching

    @property
    def found(self) -> tuple[int, int]:
        """The number of the current match of the search, from 1 for the oldest, and the number of matches."""
        search = self._row_cache.search
        return (search.position, len(search)) if search is not None else (0, 0)

    def search(self, text: str) -> int:
        """Search for `text` without regard to case, and scroll to the nearest match above the bottom of the view.
        Returns the number of entries that match."""
        search = self._row_cache.search = Search(text) if text else None
        if search is None:
            self._redraw()
            return 0
        self._look_through(self.entries.first)
        self._go_to(search.start_at(self._viewport.bottom))
        return len(search)

    def search_next(self) -> None:
        """Scroll to the next newer match."""
        if self._row_cache.search is not None:
            self._go_to(self._row_cache.search.next())

    def search_previous(self) -> None:
        """Scroll to the next older match."""
        if self._row_cache.search is not None:
            self._go_to(self._row_cache.search.previous())

    def clear_search(self) -> None:
        """End the search. The view stays in place."""
        self._row_cache.search = None
        self._redraw()

    def _look_through(self, first: int) -> None:
        search = self._row_cache.search
        if search is not None:
            search.forget(self.entries.first)
            for serial, entry in self.entries.entries(first):
                search.check(serial, entry)

    def _go_to(self, serial: int | None) -> None:
        if serial is not None:
            self._viewport.show(serial)
        self._redraw()

    # Selecting, and links

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, without styles."""
        start, end = selection
        oldest = (self.entries.first, 0)
        first = max((start.y, start.x), oldest) if start else oldest
        last = (end.y, end.x) if end else (self.entries.next - 1, END_X)
        return copied(self.entries.entry, first, last), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection."""
        self._row_cache.selection = selection
        self._redraw()

    def on_click(self, event: events.Click) -> None:
        """Open the link under the mouse. A second click selects one entry, where Textual's default selects all."""
        event.prevent_default()
        url, offset = event.style.meta.get("url"), event.style.meta.get("offset")
        if event.chain == 2 and offset is not None:
            self.screen.selections = {self: Selection(Offset(0, offset[1]), Offset(END_X, offset[1]))}
        elif event.chain == 1 and isinstance(url, str) and self.text_selection is None:
            self.post_message(self.LinkOpened(url))

    # Drawing

    def on_resize(self) -> None:
        self._redraw()

    def watch_show_times(self) -> None:
        self._redraw()

    def notify_style_update(self) -> None:
        """Apply a change of the theme."""
        super().notify_style_update()
        self._row_cache.clear(styles=True)

    def _redraw(self) -> None:
        """Draw all visible rows again, for the current size and options."""
        self._row_cache.clear()
        if self.size:
            room = self.scrollable_content_region.size
            self._row_cache.columns = columns_for(room.width, self.show_times)
            self.entries.set_columns(self._row_cache.columns)
            self._viewport.height = room.height
            self._laid_out = self.size
        self._moved()

    def render_line(self, y: int) -> Strip:
        """Row `y` of the window."""
        return self._row_cache.strip(self.scroll_offset.y + y)
