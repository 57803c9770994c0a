"""Whether a text fits into one line of the room: counted before it is sent, as the server will count. Pure."""

from msgspec import Struct

from protocol import json_lines
from protocol.messages import Limits, Say
from protocol.sentences import format_too_long

ID = "x" * 16
"""As long as the ids that `tui.link.room_link` makes."""


class LengthCheck(Struct, frozen=True):
    """How much of the tightest limit is used: `used` of `allowed` `unit`s."""

    used: int
    allowed: int
    unit: str

    @property
    def is_too_long(self) -> bool:
        return self.used > self.allowed

    @property
    def sentence(self) -> str:
        """What to say of a text that is `over`."""
        return format_too_long(self.used, self.allowed, self.unit)

    @property
    def is_near_limit(self) -> bool:
        """Whether the writer should begin to look at the count."""
        return self.used > 0.8 * self.allowed


def check_length(text: str, limits: Limits, *, action: bool = False) -> LengthCheck:
    """How `text` fits. Bytes count as they travel: a quote takes two, a letter beyond ASCII up to four."""
    size = len(json_lines.encode(Say(ID, text, action))) - 1
    counts = (
        LengthCheck(len(text), limits.text, "characters"),
        LengthCheck(text.count("\n") + 1, limits.lines, "lines"),
        LengthCheck(size, limits.line, "bytes"),
    )
    return max(counts, key=lambda one: one.used / max(one.allowed, 1))
