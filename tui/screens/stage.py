"""StageScreen: the model, the people, the lines a second and the way to join, in large type for a projector."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Digits, Static

from protocol.messages import Rules, Said
from tui.hosting.invitation import Invitation
from tui.hosting.qr import Code
from tui.meter_history import format_rate
from tui.style import banner_text, style_of
from tui.widgets.rules_line import draw

if TYPE_CHECKING:
    from tui.screens.host import HostControls

FIGURES_WIDTH = 40
"""Cells that the figures need next to the code."""
MIN_LINE_ROWS = 3
"""Rows that are reserved for the latest lines."""


class StageState(Struct, frozen=True):
    """The content of the stage."""

    model: str = ""
    people: int = 0
    lines: float | None = None
    """Lines a second; None before the first reading of the meter."""
    said: tuple[Said, ...] = ()
    rules: Rules = Rules()


class StageScreen(Screen[None]):
    """Shows a StageState. The operator's keys for the models work here too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,f5", "dismiss", "To the room"),
        Binding("f6", "model('process')", "Process", show=False),
        Binding("f7", "model('thread')", "Thread", show=False),
        Binding("f8", "model('event')", "Event", show=False),
        Binding("ctrl+t", "next_model", "Next model", show=False),
    ]

    def __init__(self, controls: "HostControls", invitation: Invitation, state: StageState) -> None:
        super().__init__()
        self._controls = controls
        self.state = state
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
        self.show(self.state)

    def show(self, state: StageState) -> None:
        """Show a new state. Unchanged widgets are not drawn again."""
        self.state = state
        self._model.update(_model(state.model))
        self._people.update(f"{state.people:,}")
        self._lines.update("-" if state.lines is None else format_rate(state.lines))
        width, height = self._said.size
        self._said.update(render_lines(state.said, state.rules, max(MIN_LINE_ROWS, height), width))

    def on_resize(self, event: events.Resize) -> None:
        fitting = self._code.size(event.size.width - FIGURES_WIDTH, event.size.height - MIN_LINE_ROWS - 2)
        self._drawn.display = fitting is not None
        if fitting is not None:
            self._drawn.update(self._code.drawn(*fitting))
        self.call_after_refresh(lambda: self.show(self.state))

    def action_model(self, model: str) -> None:
        self._controls.action_model(model)

    def action_next_model(self) -> None:
        self._controls.action_next_model()


def _model(model: str) -> Content:
    """The model's name in large letters with its sign, in its colour."""
    sign = style_of(model).sign
    rows = banner_text(model).split("\n")
    signs = ("   ", f" {sign} ", "   ")
    style = f"$model-{model}" if sign != style_of("").sign else "bold"
    return Content("\n").join(Content.styled(f"{left} {row}", style) for left, row in zip(signs, rows, strict=True))


def render_lines(lines: Sequence[Said], rules: Rules, rows: int, width: int) -> Content:
    """The rules of the room and the latest lines, in `rows` rows of `width` cells. Each line takes one row, so the
    newest is always visible."""
    shown = [draw(rules, width)] if rules != Rules() else []
    last = lines[-max(0, rows - len(shown)) :] if rows > len(shown) else ()
    for one in last:
        text = " ".join(one.text.split())
        line = Content.assemble((f"{one.nick}{'' if one.action else ':'} ", "bold"), text)
        shown.append(line.truncate(width, ellipsis=True))
    return Content("\n").join(shown)
