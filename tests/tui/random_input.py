"""Random input of a terminal, made from a seed: keys, pastes, reports of the mouse and of the focus, and window sizes.

None of it means to leave, but a command that is chosen at random may.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

LEAVING_LETTERS = "cqz"
"""With Ctrl they leave, or suspend the program."""
LETTERS = "abcxyz ABC019/@#.é字🎉👩‍👩‍👧́\u200b\xad"
SPECIAL_KEYS = (
    "\r", "\n", "\t", "\x1b[Z", "\x7f", "\x08", "\x1b", "\x1b\x1b", "\x00",
    "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~", "\x1b[18~", "\x1b[19~", "\x1b[20~",
    "\x1b[2~", "\x1b[3~", "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F",
)  # fmt: skip
COMMANDS = (
    "/help", "/who", "/status", "/times", "/bell", "/find", "/find a", "/me waves", "/nick", "/kick x", "/slow 1",
    "/slow off", "/pin hello", "/unpin", "/lock", "/unlock", "/clear-history", "//", "/", "/xyzzy", "/where",
)  # fmt: skip
SIZES = ((80, 24), (100, 30), (20, 5), (1, 1), (0, 0), (3, 40), (300, 90), (40, 10))


@dataclass(frozen=True)
class Resize:
    """The window gets this size."""

    columns: int
    rows: int


Input = bytes | Resize


def random_input(random: Random) -> Input:
    """The next thing that comes from the terminal: bytes that are whole sequences, or another size."""
    kinds, weights = zip(*KINDS, strict=True)
    made: str | Resize = random.choices(kinds, weights)[0](random)
    return made.encode() if isinstance(made, str) else made


def _letters(random: Random) -> str:
    return "".join(random.choices(LETTERS, k=random.randint(1, 30)))


def _special_keys(random: Random) -> str:
    return random.choice(SPECIAL_KEYS) * random.choice((1, 1, 1, 2, 40))


def _arrow(random: Random) -> str:
    """With modifiers or without."""
    modifiers = random.choice(("", "", "", "1;2", "1;3", "1;5", "1;6"))
    return f"\x1b[{modifiers}{random.choice('ABCDHF')}" * random.choice((1, 2, 50))


def _ctrl_letter(random: Random) -> str:
    letter = random.choice([letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in LEAVING_LETTERS])
    return random.choice((chr(ord(letter) - ord("a") + 1), f"\x1b[{ord(letter)};5u"))


def _alt_letter(random: Random) -> str:
    return f"\x1b{random.choice('abdfxy.')}"


def _kitty_key(random: Random) -> str:
    """Any key with Shift or Alt, pressed, repeated or released."""
    return f"\x1b[{random.randint(0, 60_000)};{random.choice((1, 2, 3, 4))}:{random.randint(1, 3)}u"


def _command(random: Random) -> str:
    return f"\x15{random.choice(COMMANDS)}\r"


def _paste(random: Random) -> str:
    rows = ["".join(random.choices(LETTERS, k=random.randint(0, 60))) for _ in range(random.choice((1, 2, 5, 30)))]
    return f"\x1b[200~{random.choice(chr(10) + chr(13)).join(rows)}\x1b[201~"


def _mouse(random: Random) -> str:
    """A click, a drag, a move or the wheel, now and then outside of the window."""
    x, y, end = random.randint(0, 120), random.randint(0, 40), random.choice("Mm")
    button = random.choice((0, 0, 1, 2, 32, 35, 35, 64, 65))
    click = f"\x1b[<{button};{x};{y}{end}"
    return click + (f"\x1b[<0;{random.randint(1, 100)};{y}m" if button == 0 else "")


def _report(random: Random) -> str:
    """The focus, in-band sizes, and late replies to queries."""
    rows, columns = random.randint(0, 60), random.randint(0, 200)
    return random.choice(
        ("\x1b[I", "\x1b[O", f"\x1b[48;{rows};{columns};0;0t", "\x1b[?2026;2$y", "\x1b[?1;2c", "\x1b[1;1R")
    )


def _resize(random: Random) -> Resize:
    return Resize(*random.choice(SIZES))


KINDS: tuple[tuple[Callable[[Random], str | Resize], int], ...] = (
    (_letters, 6), (_special_keys, 8), (_arrow, 4), (_ctrl_letter, 5), (_alt_letter, 2), (_kitty_key, 2), (_command, 3),
    (_paste, 2), (_mouse, 6), (_report, 3), (_resize, 2),
)  # fmt: skip
"""Each with its weight."""
