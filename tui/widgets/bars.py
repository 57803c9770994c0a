"""The lines around the message pane: Header, Banner, RulesLine, StatusBar."""

from collections.abc import Callable
from math import ceil, inf
from time import monotonic

from msgspec import Struct
from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from protocol.messages import Rules
from tui.meter_history import format_seconds
from tui.style import WIDE_SCREEN, content_style, style_of

KEY_GAP = "   "
"""The gap between two keys of the banner."""
WIDE, TIGHT = "   ", "  "
"""The gap between two parts: WIDE if all parts fit with it."""
MAX_PARTS_BEFORE_HELP = 3
"""The model, the connections and the worker. On a narrow screen the key for help comes before all other parts."""
HELP = Content.assemble(("f1", "$footer-key-foreground bold"), " help")


class Header(Widget):
    """The room's name and address; hidden if the terminal has few rows. `title` is on the left, `place` on the right.
    If only one fits, it is the place: others need it to join."""

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


class Banner(Widget):
    """Shows a fault of the connection, the time of the next attempt, and the keys that help. It is hidden while
    `sentence` is empty. `until` is the time of the next attempt, by `clock`."""

    sentence: reactive[str] = reactive("", layout=True)
    until: reactive[float] = reactive(inf)
    keys: reactive[str] = reactive("", layout=True)
    seconds: reactive[int] = reactive(0)

    def __init__(self, clock: Callable[[], float] = monotonic, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clock = clock
        self.display = False

    def on_mount(self) -> None:
        self.set_interval(0.25, self._count_down)

    def say(self, sentence: str, *, until: float = inf, keys: str = "") -> None:
        """Show a sentence; an empty one hides the banner."""
        self.sentence, self.until, self.keys = sentence, until, keys
        self._count_down()
        self.display = bool(sentence)

    def _count_down(self) -> None:
        self.seconds = 0 if self.until == inf else max(0, ceil(self.until - self._clock()))

    def render(self) -> Content:
        words = self.sentence
        if self.until < inf:
            words += f" Next try in {self.seconds} s." if self.seconds else " Trying again …"
        return draw_banner(words, self.keys, self.size.width)


def draw_banner(words: str, keys: str, width: int) -> Content:
    """The words, with the keys on the right if all fits into a row of `width` cells, else below. No key is broken, and
    no row ends with a gap."""
    line, right = Content.styled(words, "bold"), Content.styled(keys, "$quiet")
    gap = width - line.cell_length - right.cell_length
    if not keys:
        return line
    if gap >= len(KEY_GAP):
        return line.pad_right(gap) + right
    rows: list[str] = []
    for key in keys.split(KEY_GAP):
        if rows and len(rows[-1]) + len(KEY_GAP) + len(key) <= width:
            rows[-1] += KEY_GAP + key
        else:
            rows.append(key)
    return line + "\n" + Content.styled("\n".join(rows), "$quiet")


class RulesLine(Widget):
    """The rules of the room: the pinned line, and whether it is locked, quiet or slow. One line, hidden while the room
    has no rules. If not all fits, the pinned line is shortened."""

    ALLOW_SELECT = True
    rules: reactive[Rules] = reactive(Rules())

    def on_mount(self) -> None:
        self.watch_rules()

    def watch_rules(self) -> None:
        self.display = self.rules != Rules()

    def render(self) -> Content:
        return draw_rules(self.rules, self.size.width)


def draw_rules(rules: Rules, width: int) -> Content:
    """The line, in `width` cells."""
    signs = Content.styled("   ".join(active_rules(rules)), "$warning bold")
    if not rules.pin:
        return signs.truncate(width, ellipsis=True)
    room = max(1, width - signs.cell_length - 2)
    pin = Content.assemble(("▌ ", "$accent"), (rules.pin, "bold")).truncate(room, ellipsis=True)
    return pin.pad_right(room + 2 - pin.cell_length) + signs if signs else pin


def active_rules(rules: Rules) -> list[str]:
    """The rules except for the pinned line, in a word or two each. The room has explained them when they were set."""
    words = []
    if rules.locked:
        words.append("locked")
    if rules.quiet:
        words.append("quiet")
    if rules.slow:
        words.append(f"slow {rules.slow:g} s")
    return words


class StatusBarState(Struct, frozen=True):
    """The values to show. `round_trip` is in seconds; `phase` is the link's."""

    phase: str = "connecting"
    model: str = ""
    connections: int = 0
    served_by: str = ""
    round_trip: float | None = None
    address: str = ""


class StatusBar(Widget):
    """The model of the room and the state of the connection, as the server told them. Parts that do not fit are left
    out, from the end. On a screen that is too narrow for Keys, it names the key for help."""

    state: reactive[StatusBarState] = reactive(StatusBarState())

    def render(self) -> Content:
        return draw_status(self.state, self.size.width, with_help=self.app.size.width < WIDE_SCREEN)

    async def on_click(self, event: events.Click) -> None:
        """Open the help at a click on its key."""
        from_the_right = self.size.width - event.get_content_offset_capture(self).x
        if self.render().plain.endswith(HELP.plain) and from_the_right <= HELP.cell_length:
            await self.run_action("app.help")


def draw_status(state: StatusBarState, width: int, *, with_help: bool = False) -> Content:
    """The first parts of the state that fit into `width` cells, the most important ones first. `with_help`, the key for
    help is at the end, if the parts before the ping leave room for it."""
    parts = _parts(state)
    beside = width - HELP.cell_length - len(TIGHT)
    if with_help and _length(parts[:MAX_PARTS_BEFORE_HELP], TIGHT) <= beside:
        line = _fitting(parts, beside)
        return line.pad_right(width - HELP.cell_length - line.cell_length) + HELP
    return _fitting(parts, width)


def _fitting(parts: list[Content], width: int) -> Content:
    gap = WIDE if _length(parts, WIDE) <= width else TIGHT
    line = parts[0]
    for part in parts[1:]:
        longer = line + gap + part
        if longer.cell_length > width:
            break
        line = longer
    return line.truncate(width, ellipsis=True)


def _length(parts: list[Content], gap: str) -> int:
    return sum(part.cell_length for part in parts) + len(gap) * (len(parts) - 1)


def _parts(state: StatusBarState) -> list[Content]:
    address = Content.styled(state.address, "$quiet")
    if state.phase != "online":
        label = "○ left" if state.phase == "over" else "○ not connected"
        return [Content.styled(label, "$warning bold"), address]
    parts = [_draw_model(state.model), Content(f"{state.connections:,} connected")]
    if state.served_by:
        parts.append(Content.styled(f"you: {state.served_by}", "$quiet"))
    if state.round_trip is not None:
        parts.append(Content.styled(f"ping {format_seconds(state.round_trip)}", "$quiet"))
    return [*parts, address]


def _draw_model(model: str) -> Content:
    return Content.styled(f"{style_of(model).sign} {model}", content_style(model))
