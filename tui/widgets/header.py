"""Header: the room's name and address, in one line; hidden if the terminal has few rows."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget


class Header(Widget):
    """`title` is on the left, `place` on the right. If only one fits, it is the place: others need it to join."""

    ALLOW_SELECT = True
    title: reactive[str] = reactive("")
    place: reactive[str] = reactive("")

    def render(self) -> Content:
        place = Content.styled(self.place, "bold")
        room = self.size.width - place.cell_length - 2
        if room < len(self.title) // 2:
            return place.truncate(self.size.width, ellipsis=True)
        title = Content.styled(self.title, "$quiet").truncate(room, ellipsis=True)
        return title.pad_right(room + 2 - title.cell_length) + place
