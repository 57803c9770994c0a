"""Decoding shared by all participants: the same bytes are the same object, so that a long run fits into memory."""

from functools import lru_cache

from protocol import json_lines
from protocol.json_lines import AnyEvent


@lru_cache(maxsize=4096)
def event_in(line: bytes) -> AnyEvent | None:
    """The event in a line. Nobody may change it: others hold it too."""
    return json_lines.decode_event(line)
