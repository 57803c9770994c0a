"""RulesLine: the rules of the room, above the pane: the pinned line, and whether the room is locked, quiet or slow."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from protocol.messages import Rules


class RulesLine(Widget):
    """One line, hidden while the room has no rules. If not all fits, the pinned line is shortened."""

    ALLOW_SELECT = True
    rules: reactive[Rules] = reactive(Rules())

    def on_mount(self) -> None:
        self.watch_rules()

    def watch_rules(self) -> None:
        self.display = self.rules != Rules()

    def render(self) -> Content:
        return draw(self.rules, self.size.width)


def draw(rules: Rules, width: int) -> Content:
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
