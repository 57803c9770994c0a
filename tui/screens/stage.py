"""StageScreen: the model, the people, the lines a second and the way to join, in large type for a projector."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Digits, Static

from protocol.messages import Rules, Said
from tui.client import RoomClient
from tui.hosting.invitation import Invitation
from tui.hosting.qr import Code
from tui.meter_history import format_rate
from tui.style import MODELS, banner_text, style_of
from tui.widgets.bars import draw_rules

FIGURES_WIDTH = 40
"""Cells that the figures need next to the code."""
MIN_LINE_ROWS = 3
"""Rows that are reserved for the latest lines."""


class StageScreen(Screen[None]):
    """A view of `client`; `show` is called after each change. The operator's keys for the models work here too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,f5", "dismiss", "To the room"),
        Binding("f6", "model('process')", "Process", show=False),
        Binding("f7", "model('thread')", "Thread", show=False),
        Binding("f8", "model('event')", "Event", show=False),
        Binding("ctrl+t", "next_model", "Next model", show=False),
    ]

    def __init__(self, client: RoomClient, invitation: Invitation) -> None:
        super().__init__()
        self._client = client
        self._invitation = invitation
        self._code = Code(invitation.link)
        self._model = Static("", markup=False, id="stage-model")
        self._people = Digits("0", id="stage-people")
        self._lines = Digits("0", id="stage-lines")
        self._drawn = Static("", markup=False, id="stage-code")
        self._said = Static("", markup=False, id="stage-said")

    def compose(self) -> ComposeResult:
        with Horizontal(id="stage-top"):
            with Vertical(id="stage-figures"):
                yield self._model
                with Horizontal(id="stage-numbers"):
                    with Vertical():
                        yield self._people
                        yield Static(Content.styled("people", "$quiet"))
                    with Vertical():
                        yield self._lines
                        yield Static(Content.styled("lines a second", "$quiet"))
                for command in (self._invitation.link, *self._invitation.commands()[::2]):
                    yield Static(Content.styled(command, "bold $accent"), classes="stage-command")
            yield self._drawn
        yield self._said

    def on_mount(self) -> None:
        self.show()

    def show(self) -> None:
        """Show the state of the room. Unchanged widgets are not drawn again."""
        client, reading = self._client, self._client.meter_history.last
        self._model.update(_model(client.model))
        self._people.update(f"{len(client.people):,}")
        self._lines.update("-" if reading is None else format_rate(reading.lines))
        width, height = self._said.size
        self._said.update(render_lines(tuple(client.last_lines), client.rules, max(MIN_LINE_ROWS, height), width))

    def on_resize(self, event: events.Resize) -> None:
        fitting = self._code.size(event.size.width - FIGURES_WIDTH, event.size.height - MIN_LINE_ROWS - 2)
        self._drawn.display = fitting is not None
        if fitting is not None:
            self._drawn.update(self._code.drawn(*fitting))
        self.call_after_refresh(self.show)

    def action_model(self, model: str) -> None:
        self._client.switch_model(model)

    def action_next_model(self) -> None:
        self._client.switch_to_next_model()


def _model(model: str) -> Content:
    """The model's name in large letters with its sign, in its colour."""
    sign = style_of(model).sign
    rows = banner_text(model).split("\n")
    signs = ("   ", f" {sign} ", "   ")
    style = f"$model-{model}" if model in MODELS else "bold"
    return Content("\n").join(Content.styled(f"{left} {row}", style) for left, row in zip(signs, rows, strict=True))


def render_lines(lines: Sequence[Said], rules: Rules, rows: int, width: int) -> Content:
    """The rules of the room and the latest lines, in `rows` rows of `width` cells. Each line takes one row, so the
    newest is always visible."""
    shown = [draw_rules(rules, width)] if rules != Rules() else []
    last = lines[-max(0, rows - len(shown)) :] if rows > len(shown) else ()
    for one in last:
        text = " ".join(one.text.split())
        line = Content.assemble((f"{one.nick}{'' if one.action else ':'} ", "bold"), text)
        shown.append(line.truncate(width, ellipsis=True))
    return Content("\n").join(shown)
