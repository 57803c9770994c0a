"""The web addresses in a text: http and https, and nothing else."""

import re
from typing import NamedTuple

_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"'`{}|\\^\[\]]+", re.IGNORECASE)
_TRAILING = ".,;:!?…*_~"
MAX_LINK = 2048
"""Characters of an address; a longer one is no link."""


class Link(NamedTuple):
    """Where in the text the address stands, and the address."""

    start: int
    end: int
    url: str


def links(text: str) -> list[Link]:
    """The addresses in `text`, without the punctuation of the sentence around them."""
    if "://" not in text:
        return []
    found = []
    for match in _ADDRESS.finditer(text):
        if match.end() - match.start() > MAX_LINK:
            continue
        url = _without_sentence(match[0])
        if url.partition("://")[2]:
            found.append(Link(match.start(), match.start() + len(url), url))
    return found


def _without_sentence(url: str) -> str:
    """A closing bracket belongs to the address only if it was opened there."""
    while url:
        if url[-1] in _TRAILING or (url[-1] == ")" and url.count(")") > url.count("(")):
            url = url[:-1]
        else:
            break
    return url
