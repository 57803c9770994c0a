"""Talk: lines that are never the same twice, short and long, with everything in them that may be said. Pure."""

from itertools import count
from random import Random

_WORDS = 'who holds the lock and which model is it now tell me 李雷 Zoë γειά 👍 [/b] {x} "quoted" // \\ & é'
WORDS = _WORDS.split()


class Talk:
    """Gives lines out. Each begins with who says it and a number, so that no two are alike."""

    def __init__(self) -> None:
        self._count = count()

    def line(self, name: str, random: Random) -> str:
        """A line for this member. Some are long, some have several lines."""
        length = random.choice((1, 3, 5, 8, 8, 12, 20, 200))
        joint = "\n" if random.random() < 0.05 else " "
        said = joint.join(random.choices(WORDS, k=min(length, 30) if joint == "\n" else length))
        return f"{name}:{next(self._count)} {said}"

    def one_line(self, name: str, random: Random) -> str:
        """A line without a line end in it."""
        return self.line(name, random).replace("\n", " ")

    def long_line(self, name: str) -> str:
        """A line about as long as one may be."""
        return f"{name}:{next(self._count)} ".ljust(1900, "x")

    def refusable(self, name: str, random: Random) -> str:
        """A line that no room takes: nothing in it, too long, or too many lines of it."""
        return random.choice(
            ("", "  \n ", f"{name}:{next(self._count)} " + "x" * 2500, f"{name}:{next(self._count)}" + "\ny" * 45)
        )
