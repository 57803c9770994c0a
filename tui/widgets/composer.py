"""Composer: where one writes: it grows to five rows, walks through what was said, completes, takes a paste whole."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from protocol.sanitize import sanitize
from tui.widgets.key_order import ImmediateEditor, is_bound_in_place, run_binding_now

MAX_ROWS = 5
"""Rows it grows to, where the screen has them."""
KEPT = 500
"""Lines one can walk back through."""
ASK_ABOVE = 10
"""Lines of a paste above which it is asked for first."""


class Completion(Protocol):
    """`text[start:cursor]` may become `text`."""

    @property
    def start(self) -> int: ...
    @property
    def text(self) -> str: ...


Completer = Callable[[str, int], Sequence[Completion]]
FIRST_ASKED = frozenset({"enter", "up", "down", "tab", "shift+tab"})
"""Keys that whoever owns the composer is asked about first."""


class Composer(TextArea, ImmediateEditor):
    """The text being written; it does not know the room. Each key is done with before the next is looked at."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+j,shift+enter,alt+enter", "new_line", "New line", show=False),
        Binding("ctrl+u", "empty", "Empty", show=False),
        Binding("pageup", "screen.page(-1)", "Page up", show=False),
        Binding("pagedown", "screen.page(1)", "Page down", show=False),
    ]

    class PasteAsked(Message):
        """A long paste came; `insert_pasted` puts it in."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        completer: Completer,
        said: list[str],
        *,
        takes: Callable[[str], bool],
        on_edit: Callable[[], object] = lambda: None,
        id: str | None = None,
    ) -> None:
        """`said` holds what was said before, oldest first; what is accepted is added to it. `takes` is asked about each
        key of FIRST_ASKED, and returns whether it did something with it, at once. `on_edit` is called at each key and
        paste, before anything is done with it."""
        super().__init__(id=id, compact=True, highlight_cursor_line=False, placeholder="write a line")
        self.match_cursor_bracket = False
        self.cursor_blink = False  # Each blink is written to the terminal: over ssh, and as activity in tmux.
        self.max_rows = MAX_ROWS
        self._takes, self._on_edit = takes, on_edit
        self._completer = completer
        self._said = said
        self._back = 0
        """How many lines up we are in what was said; 0 for what is being written."""
        self._draft = ""
        self.is_preselected = False
        """Whether the selection was made by `put_back`, and not by the person who writes."""
        self._offers: Sequence[Completion] = ()
        self._offered = 0
        self._round: tuple[str, tuple[int, int]] | None = None
        """The text and the cursor as the last completion left them."""

    # Writing

    def is_editing_key(self, key: str) -> bool:
        """Whether the key edits the text, moves the cursor, or walks through what was said or the list of commands."""
        return is_bound_in_place(self, key)

    async def _on_key(self, event: events.Key) -> None:
        """What TextArea would take for text, and what it would do too late."""
        self._on_edit()
        if event.key in FIRST_ASKED and self._takes(event.key):
            event.stop()
            event.prevent_default()
        elif event.key in ("tab", "shift+tab"):
            event.stop()
            event.prevent_default()
            self._complete(-1 if event.key == "shift+tab" else 1)
        elif not event.is_printable:
            await run_binding_now(self, event)

    async def _on_paste(self, event: events.Paste) -> None:
        """A paste is one edit, with nothing in it that a terminal obeys; a long one is asked for."""
        self._on_edit()
        event.stop()
        event.prevent_default()
        text = sanitize(event.text.replace("\r\n", "\n").replace("\r", "\n"), lines=True).removesuffix("\n")
        if text.count("\n") >= ASK_ABOVE:
            self.post_message(self.PasteAsked(text))
        else:
            self.insert_pasted(text)

    def insert_pasted(self, text: str) -> None:
        """Put a pasted text where the cursor is."""
        result = self.replace(text, *self.selection, maintain_selection_offset=False)
        self.move_cursor(result.end_location)

    def action_new_line(self) -> None:
        self.insert("\n")

    def action_empty(self) -> None:
        """Clear the text. The history keeps it."""
        self._on_edit()
        self.accept()

    def begin(self, text: str) -> None:
        """Begin another line, for the rest of it to be written; what stood there can be walked back to."""
        self.accept()
        self.write(text)
        self.screen.set_focus(self)

    def write(self, text: str) -> None:
        """Replace all that is written."""
        self.text = text
        self.move_cursor(self.document.end)

    def put_back(self, text: str) -> None:
        """Replace all that is written by a text that was refused, and select it, so that typing replaces it."""
        self.write(text)
        self.select_all()
        self.is_preselected = True

    def watch_selection(self) -> None:
        self.is_preselected = False

    def accept(self, remember: bool = True) -> None:
        """The text was taken: keep it for walking back, and begin anew."""
        if remember and self.text and (not self._said or self._said[-1] != self.text):
            self._said.append(self.text)
            del self._said[:-KEPT]
        self._back, self._draft = 0, ""
        self.write("")

    def mention(self, nick: str) -> None:
        """Put a nickname where the cursor is, as one addresses somebody."""
        before = self.text[: self._position()]
        gap = "" if not before or before[-1].isspace() else " "
        self.insert(f"{gap}@{nick} ")

    # Walking through what was said

    def action_cursor_up(self, select: bool = False) -> None:
        if select or not self.navigator.is_first_wrapped_line(self.cursor_location):
            super().action_cursor_up(select)
        else:
            self._walk(1)

    def action_cursor_down(self, select: bool = False) -> None:
        if select or not self.navigator.is_last_wrapped_line(self.cursor_location):
            super().action_cursor_down(select)
        else:
            self._walk(-1)

    def _walk(self, by: int) -> None:
        back = self._back + by
        if not 0 <= back <= len(self._said):
            return
        if self._back == 0:
            self._draft = self.text
        self._back = back
        self.write(self._said[-back] if back else self._draft)

    # Completing

    def _complete(self, by: int) -> None:
        """The first Tab puts in the best completion, each further one the next, until something else is done."""
        if self._round == (self.text, self.cursor_location):
            self._offered = (self._offered + by) % len(self._offers)
        else:
            self._offers, self._offered = self._completer(self.text, self._position()), 0
        if not self._offers:
            self._round = None
            return
        offer = self._offers[self._offered]
        self.replace(offer.text, self._location(offer.start), self.cursor_location, maintain_selection_offset=False)
        self.move_cursor(self._location(offer.start + len(offer.text)))
        self._round = (self.text, self.cursor_location)

    def _position(self) -> int:
        """Where the cursor is, in characters of `text`."""
        row, column = self.cursor_location
        return sum(len(self.document[above]) + 1 for above in range(row)) + column

    def _location(self, position: int) -> tuple[int, int]:
        before = self.text[:position]
        return before.count("\n"), len(before) - (before.rfind("\n") + 1)

    # Size

    def on_text_area_changed(self) -> None:
        self.fit()

    def on_resize(self, event: events.Resize) -> None:
        """The text is wrapped anew, and the row of the cursor may be another one."""
        event.prevent_default()  # TextArea would wrap only after this handler,
        super()._on_resize()
        self.refresh()  # and leave on the screen what was drawn before.
        self.fit()

    def fit(self) -> None:
        """Take as many rows as the text needs, up to `max_rows`, with the cursor in one of them."""
        self.styles.height = max(1, min(self.max_rows, self.wrapped_document.height))
        self.scroll_cursor_visible()
