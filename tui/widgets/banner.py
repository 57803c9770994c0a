"""Banner: shown while the connection has a fault: the fault, the time of the next attempt, and the keys that help."""

from collections.abc import Callable
from math import ceil, inf
from time import monotonic

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

GAP = "   "
"""The gap between two keys."""


class Banner(Widget):
    """It shows `sentence`, and is hidden while that is empty. `until` is the time of the next attempt, by `clock`."""

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
        return draw(words, self.keys, self.size.width)


def draw(words: str, keys: str, width: int) -> Content:
    """The words, with the keys on the right if all fits into a row of `width` cells, else below. No key is broken, and
    no row ends with a gap."""
    line, right = Content.styled(words, "bold"), Content.styled(keys, "$quiet")
    gap = width - line.cell_length - right.cell_length
    if not keys:
        return line
    if gap >= len(GAP):
        return line.pad_right(gap) + right
    rows: list[str] = []
    for key in keys.split(GAP):
        if rows and len(rows[-1]) + len(GAP) + len(key) <= width:
            rows[-1] += GAP + key
        else:
            rows.append(key)
    return line + "\n" + Content.styled("\n".join(rows), "$quiet")
