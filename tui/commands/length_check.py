"""Checks before sending whether a text fits into one line of the room, with the counts of the server. Pure."""

from msgspec import Struct

from protocol import json_lines
from protocol.format import format_too_long
from protocol.messages import Limits, Say

ID = "x" * 16
"""An id of the same length as those of `tui.link.room_link`."""


class LengthCheck(Struct, frozen=True):
    """The limit of which the text uses the largest part: `used` of `allowed`, in `unit`."""

    used: int
    allowed: int
    unit: str

    @property
    def is_too_long(self) -> bool:
        return self.used > self.allowed

    @property
    def sentence(self) -> str:
        """The message for a text that is too long."""
        return format_too_long(self.used, self.allowed, self.unit)

    @property
    def is_near_limit(self) -> bool:
        """Whether more than 80 % of the limit is used, so that the count is shown."""
        return self.used > 0.8 * self.allowed


def check_length(text: str, limits: Limits, *, action: bool = False) -> LengthCheck:
    """Compare `text` with the limits. Bytes are counted in JSON: a quote takes two, a non-ASCII letter up to four."""
    size = len(json_lines.encode(Say(ID, text, action))) - 1
    counts = (
        LengthCheck(len(text), limits.text, "characters"),
        LengthCheck(text.count("\n") + 1, limits.lines, "lines"),
        LengthCheck(size, limits.line, "bytes"),
    )
    return max(counts, key=lambda one: one.used / max(one.allowed, 1))
