"""Decoding with a cache for all participants: a long run fits into memory, as equal lines are one object."""

from functools import lru_cache

from protocol import json_lines
from protocol.json_lines import AnyEvent


@lru_cache(maxsize=4096)
def event_in(line: bytes) -> AnyEvent | None:
    """Decode the event in a line. The object is shared, so it must not be changed."""
    return json_lines.decode_event(line)
