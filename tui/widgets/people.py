"""People: the sorted and counted list of members beside the pane. Only visible rows are drawn."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual
from textual.widgets import Static


class Roster(ScrollView, can_focus=True):
    """The nicknames, one in each line. A member can be chosen by key or click."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "move(-10)", "Up", show=False),
        Binding("pagedown", "move(10)", "Down", show=False),
        Binding("home", "move(-1000000)", "First", show=False),
        Binding("end", "move(1000000)", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"roster--cursor"}

    cursor: reactive[int] = reactive(0)
    people: reactive[tuple[str, ...]] = reactive(())
    me: reactive[str] = reactive("")

    class Chosen(Message):
        """A member was chosen."""

        def __init__(self, nick: str) -> None:
            super().__init__()
            self.nick = nick

    def watch_people(self, before: tuple[str, ...], people: tuple[str, ...]) -> None:
        """Keep the highlight on the same member while that member is here."""
        chosen = before[self.cursor] if self.cursor < len(before) else None
        self.virtual_size = Size(self.size.width, len(people))
        self.cursor = people.index(chosen) if chosen in people else min(self.cursor, max(0, len(people) - 1))
        self.refresh()

    def watch_me(self) -> None:
        self.refresh()

    def watch_cursor(self, _before: int, cursor: int) -> None:
        self.scroll_to_region(Region(0, cursor, 1, 1), animate=False)
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        index = y + round(self.scroll_y)
        if index >= len(self.people):
            return Strip.blank(self.size.width, self.rich_style)
        nick = self.people[index]
        style = self.visual_style
        if self.has_focus and index == self.cursor:
            style += self.get_visual_style("roster--cursor", partial=True)
        content = Content.styled(nick, "bold") if nick == self.me else Content(nick)
        content = content.truncate(self.size.width, ellipsis=True)
        return Visual.to_strips(self, content, self.size.width, 1, style, pad=True)[0]

    def action_move(self, by: int) -> None:
        self.cursor = max(0, min(self.cursor + by, len(self.people) - 1))

    def action_choose(self) -> None:
        if self.cursor < len(self.people):
            self.post_message(self.Chosen(self.people[self.cursor]))

    def on_click(self, event: events.Click) -> None:
        index = event.y + round(self.scroll_y)
        if index < len(self.people):
            self.cursor = index
            self.action_choose()


class People(Vertical):
    """The roster under its count."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.roster = Roster(id="roster")
        self.count = Static(id="count", markup=False)

    def compose(self) -> ComposeResult:
        yield self.count
        yield self.roster

    def show(self, people: set[str], me: str) -> None:
        """Show these members. `me` is the nickname of this client."""
        self.roster.people = tuple(sorted(people, key=lambda nick: (nick.casefold(), nick)))
        self.roster.me = me
        self.count.update(Content.styled(f"{len(people):,} here", "$quiet"))
