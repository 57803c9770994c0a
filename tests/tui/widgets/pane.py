"""An app that is nothing but the message pane, and ways to look at it."""

from itertools import count

from rich.style import Style
from textual.app import App, ComposeResult
from textual.strip import Strip

from protocol.messages import Said
from tui.style import contrast
from tui.widgets.message_pane import MessagePane

AT = 1_795_464_840.0
"""Seconds since the epoch: a Monday in November."""


class PaneApp(App[None]):
    CSS = "MessagePane { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[object] = []
        self.serial = count(1)

    def compose(self) -> ComposeResult:
        yield MessagePane()

    @property
    def pane(self) -> MessagePane:
        return self.query_one(MessagePane)

    def on_mount(self) -> None:
        self.pane.me = "ada"

    def on_message_pane_unread_changed(self, message: MessagePane.UnreadChanged) -> None:
        self.posted.append(message.count)

    def on_message_pane_link_opened(self, message: MessagePane.LinkOpened) -> None:
        self.posted.append(message.url)

    def said(self, text: str, nick: str = "bob", id: str = "", action: bool = False) -> Said:
        seq = next(self.serial)
        return Said(seq, nick, text, AT + seq, id, action)

    def say(self, *texts: str, nick: str = "bob") -> None:
        self.pane.add([self.said(text, nick) for text in texts])

    def chat(self, lines: int, words: int = 3) -> None:
        self.say(*(f"line {index} " + "word " * (words + index % 5) for index in range(lines)))

    def strips(self) -> list[Strip]:
        return [self.pane.render_line(y) for y in range(self.pane.size.height)]

    def shown(self) -> list[str]:
        return [strip.text.rstrip() for strip in self.strips()]

    def row_of(self, words: str) -> int:
        return next(y for y, line in enumerate(self.shown()) if words in line)

    def styles_of(self, words: str) -> list[Style]:
        return [
            segment.style
            for strip in self.strips()
            for segment in strip
            if words in segment.text and segment.style is not None
        ]


def contrast_of(style: Style) -> float:
    """How far the letters stand out from what they are drawn on."""
    letters, ground = style.color and style.color.triplet, style.bgcolor and style.bgcolor.triplet
    assert letters
    assert ground
    return contrast(tuple(letters), tuple(ground))
