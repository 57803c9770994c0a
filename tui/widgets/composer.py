"""Composer: the text field of the room. It grows to MAX_ROWS, recalls earlier lines, completes, and takes pastes."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from protocol.sanitize import sanitize
from tui.widgets.keys import ImmediateEditor, is_bound_in_place, run_binding_now

MAX_ROWS = 5
"""The most rows that it takes, if the screen has them."""
MAX_RECALLED_LINES = 500
"""Earlier lines that can be recalled."""
MAX_UNCONFIRMED_LINES = 10
"""A paste with more lines needs a confirmation."""


class Completion(Protocol):
    """`text[start:cursor]` may become `text`."""

    @property
    def start(self) -> int: ...
    @property
    def text(self) -> str: ...


Completer = Callable[[str, int], Sequence[Completion]]
OWNER_KEYS = frozenset({"enter", "up", "down", "tab", "shift+tab"})
"""Keys that `takes` is asked about first."""


class Composer(TextArea, ImmediateEditor):
    """The text being written. It does not know the room. Each key is handled fully before the next one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+j,shift+enter,alt+enter", "new_line", "New line", show=False),
        Binding("ctrl+u", "empty", "Empty", show=False),
        Binding("pageup", "screen.page(-1)", "Page up", show=False),
        Binding("pagedown", "screen.page(1)", "Page down", show=False),
    ]

    class PasteAsked(Message):
        """A long paste arrived. `insert_pasted` inserts it."""

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
        key of OWNER_KEYS, and returns whether it did something with it, at once. `on_edit` is called at each key and
        paste, before anything is done with it."""
        super().__init__(id=id, compact=True, highlight_cursor_line=False, placeholder="write a line")
        self.match_cursor_bracket = False
        self.cursor_blink = False  # Each blink would be output: traffic over ssh, activity in tmux.
        self.max_rows = MAX_ROWS
        self._takes, self._on_edit = takes, on_edit
        self._completer = completer
        self._said = said
        self._back = 0
        """The recalled line, counted from the newest, which is 1; 0 for the draft."""
        self._draft = ""
        self.is_preselected = False
        """Whether the selection was made by `put_back`, and not by the person who writes."""
        self._offers: Sequence[Completion] = ()
        self._offered = 0
        self._round: tuple[str, tuple[int, int]] | None = None
        """The text and the cursor after the last completion."""

    # Writing

    def is_editing_key(self, key: str) -> bool:
        """Whether the key edits the text, moves the cursor, or moves through earlier lines or the list of commands."""
        return is_bound_in_place(self, key)

    async def _on_key(self, event: events.Key) -> None:
        """Handle the keys that TextArea would insert as text, and run bindings immediately."""
        self._on_edit()
        if event.key in OWNER_KEYS and self._takes(event.key):
            event.stop()
            event.prevent_default()
        elif event.key in ("tab", "shift+tab"):
            event.stop()
            event.prevent_default()
            self._complete(-1 if event.key == "shift+tab" else 1)
        elif not event.is_printable:
            await run_binding_now(self, event)

    async def _on_paste(self, event: events.Paste) -> None:
        """Insert a paste as one edit, without control characters. A long one needs a confirmation."""
        self._on_edit()
        event.stop()
        event.prevent_default()
        text = sanitize(event.text.replace("\r\n", "\n").replace("\r", "\n"), lines=True).removesuffix("\n")
        if text.count("\n") >= MAX_UNCONFIRMED_LINES:
            self.post_message(self.PasteAsked(text))
        else:
            self.insert_pasted(text)

    def insert_pasted(self, text: str) -> None:
        """Insert a pasted text at the cursor, in place of the selection."""
        result = self.replace(text, *self.selection, maintain_selection_offset=False)
        self.move_cursor(result.end_location)

    def action_new_line(self) -> None:
        self.insert("\n")

    def action_empty(self) -> None:
        """Clear the text. The history keeps it."""
        self._on_edit()
        self.accept()

    def begin(self, text: str) -> None:
        """Start another line with `text`. The history keeps the text before."""
        self.accept()
        self.write(text)
        self.screen.set_focus(self)

    def write(self, text: str) -> None:
        """Replace the whole text."""
        self.text = text
        self.move_cursor(self.document.end)

    def put_back(self, text: str) -> None:
        """Replace the whole text by one that was refused, and select it, so that typing replaces it."""
        self.write(text)
        self.select_all()
        self.is_preselected = True

    def watch_selection(self) -> None:
        self.is_preselected = False

    def accept(self, remember: bool = True) -> None:
        """Clear the text, which was accepted, and keep it in the history."""
        if remember and self.text and (not self._said or self._said[-1] != self.text):
            self._said.append(self.text)
            del self._said[:-MAX_RECALLED_LINES]
        self._back, self._draft = 0, ""
        self.write("")

    def mention(self, nick: str) -> None:
        """Insert `@nick` at the cursor."""
        before = self.text[: self._position()]
        gap = "" if not before or before[-1].isspace() else " "
        self.insert(f"{gap}@{nick} ")

    # Earlier lines

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
        """Insert the best completion at the first Tab, and the next one at each further Tab in succession."""
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
        """The index of the cursor in `text`."""
        row, column = self.cursor_location
        return sum(len(self.document[above]) + 1 for above in range(row)) + column

    def _location(self, position: int) -> tuple[int, int]:
        before = self.text[:position]
        return before.count("\n"), len(before) - (before.rfind("\n") + 1)

    # Size

    def on_text_area_changed(self) -> None:
        self.fit()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the text again: the row of the cursor may change."""
        event.prevent_default()  # TextArea would wrap the text after this handler,
        super()._on_resize()
        self.refresh()  # and would leave the old rows on the screen.
        self.fit()

    def fit(self) -> None:
        """Set the height to the rows of the text, at most `max_rows`, and scroll the cursor into view."""
        self.styles.height = max(1, min(self.max_rows, self.wrapped_document.height))
        self.scroll_cursor_visible()
