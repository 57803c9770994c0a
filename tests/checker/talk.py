"""Talk: unique lines, short and long, with all kinds of characters. Pure."""

from itertools import count
from random import Random

_WORDS = 'who holds the lock and which model is it now tell me 李雷 Zoë γειά 👍 [/b] {x} "quoted" // \\ & é'
WORDS = _WORDS.split()


class Talk:
    """Generates lines. Each begins with the name of its speaker and a number, so that it is unique."""

    def __init__(self) -> None:
        self._count = count()

    def line(self, name: str, random: Random) -> str:
        """Return a line for this member. Some are long, some have line ends in them."""
        length = random.choice((1, 3, 5, 8, 8, 12, 20, 200))
        joint = "\n" if random.random() < 0.05 else " "
        said = joint.join(random.choices(WORDS, k=min(length, 30) if joint == "\n" else length))
        return f"{name}:{next(self._count)} {said}"

    def one_line(self, name: str, random: Random) -> str:
        """Return a line without a line end in it."""
        return self.line(name, random).replace("\n", " ")

    def long_line(self, name: str) -> str:
        """Return a line of almost the maximum length."""
        return f"{name}:{next(self._count)} ".ljust(1900, "x")

    def refusable(self, name: str, random: Random) -> str:
        """Return a line that the room refuses: empty, too long, or with too many line ends."""
        return random.choice(
            ("", "  \n ", f"{name}:{next(self._count)} " + "x" * 2500, f"{name}:{next(self._count)}" + "\ny" * 45)
        )
