"""The script of the crowd: its nicknames, its lines, and their times. Pure: the random generator is an argument."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

_NAMES = (
    "ada alan anita barbara bjarne cleo dan dennis donald edsger erna frances grace guido hedy ida ines jean joan john "
    "karen katherine ken konrad kurt leslie linus margaret mary matz niklaus noor olga peter radia rob rosa sophie "
    "tim tony vint yuki zoë 李雷"
)
NAMES = _NAMES.split()
OPENINGS = (
    "hello", "is this thing on?", "loud and clear", "which model is it now?", "I did not notice a thing",
    "greetings from the last row", "what happens if I paste this?", "back again", "three rooms, one talk",
    "who holds the lock?", "fork, thread or loop?", "it is only a socket", "nobody waits for me", "γειά σου", "你好",
    "is there coffee later?", "my laptop has two per cent left", "the slide went by too quickly", "+1", "👍",
    "let me try something", "here is the code:\nwhile True:\n    serve()", "and what does it cost?", "that was fast",
)  # fmt: skip


def nicknames() -> Iterator[str]:
    """Yield distinct nicknames without end: the names, then the names with a number."""
    yield from NAMES
    round = 2
    while True:
        yield from (f"{name}{round}" for name in NAMES)
        round += 1


def words(random: Random) -> str:
    """Choose a line to say."""
    opening = random.choice(OPENINGS)
    if random.random() < 0.3:
        return f"@{random.choice(NAMES)} {opening}"
    return opening


def pause(random: Random, rate: float) -> float:
    """Choose the seconds until the next line, as a Poisson process with `rate` lines a second."""
    return random.expovariate(rate)


def rounds(speakers: Sequence[T], random: Random) -> Iterator[T]:
    """Yield the speakers without end, in rounds: each once in a round, in a new random order."""
    while True:
        yield from random.sample(speakers, len(speakers))
