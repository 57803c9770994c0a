"""Finds the web addresses (http and https) in a text."""

import re
from typing import NamedTuple

_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"'`{}|\\^\[\]]+", re.IGNORECASE)
_TRAILING = ".,;:!?…*_~"
MAX_LINK = 2048
"""Characters of an address. A longer one does not become a link."""


class Link(NamedTuple):
    """An address and its range in the text."""

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
    """The address without trailing punctuation. A closing bracket is kept only if the address has its opening one."""
    while url:
        if url[-1] in _TRAILING or (url[-1] == ")" and url.count(")") > url.count("(")):
            url = url[:-1]
        else:
            break
    return url
