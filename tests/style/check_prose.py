"""Rejects docstrings and comments whose sentences have no noun as their subject; part of `make check`.

    python -m tests.style.check_prose [FILE ...]

With a noun as its subject a sentence says whether a client, a thread or a person is meant. The words of `REJECTED`
are faults, and so is a sentence that begins with "Who" or "What". The words of `COUNTED` fail the check if they are
more than `MAX_PER_1000_WORDS`. Code in backquotes and quoted text are left out.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("protocol", "server", "tui", "tests", "screenshots")
REJECTED = re.compile(r"\b(whom|whomever|whoever|whosoever|whatever|nobody|everybody)\b", re.IGNORECASE)
OPENING = re.compile(r"(?:^|[.:!?][)”]*\s+|\n\s*\n)[\s(*-]*(Who|What)\b")
COUNTED = re.compile(r"\b(who|whom|whose|whoever|whatever|nobody|everybody)\b", re.IGNORECASE)
QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|“[^”]*”")
STRING = re.compile(r"(\"{3}|'{3}|\"|')(.*)\1", re.DOTALL)
MAX_PER_1000_WORDS = 1.0


def extract_prose(source: str) -> Iterator[tuple[int, str]]:
    """Yield each docstring and each block of comments of Python source, with the number of its first line."""
    yield from extract_docstrings(source)
    yield from extract_comments(source)


def extract_docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield each string that is a statement, also one below a constant or an attribute, as it is written."""
    lines = source.split("\n")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            written = STRING.search("\n".join(lines[node.lineno - 1 : node.end_lineno]))
            yield node.lineno, written[2] if written else node.value.value


def extract_comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield each block of comments: comments on lines that follow each other, all in the same column."""
    block: list[str] = []
    first, last = 0, (0, 0)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line, column = token.start
        if block and ((line - 1, column) != last or token.line[:column].strip()):
            yield first, "\n".join(block)
            block = []
        if not block:
            first = line
        block.append(token.string.lstrip("#:! "))
        last = line, column
    if block:
        yield first, "\n".join(block)


def find_faults(text: str) -> Iterator[tuple[int, str]]:
    """Yield the offset and a description of each fault in a piece of prose."""
    plain = QUOTED.sub(lambda match: "·" * len(match[0]), text)
    for match in REJECTED.finditer(plain):
        yield match.start(), f'"{match[0]}": name the subject, such as the client or the thread'
    for match in OPENING.finditer(plain):
        yield match.start(1), f'a sentence begins with "{match[1]}": begin with a noun'


def main(arguments: list[str]) -> int:
    """Print each fault as FILE:LINE: TEXT; returns 1 if there is one or the share is too high, and otherwise 0."""
    files = [Path(name) for name in arguments] or [
        file for package in PACKAGES for file in sorted(Path(package).rglob("*.py"))
    ]
    words = counted = found = 0
    for file in files:
        for first, text in extract_prose(file.read_text(encoding="utf-8")):
            words += len(text.split())
            counted += len(COUNTED.findall(QUOTED.sub("", text)))
            for offset, fault in find_faults(text):
                found += 1
                print(f"{file}:{first + text.count(chr(10), 0, offset)}: {fault}")
    share = 1000 * counted / max(words, 1)
    if share > MAX_PER_1000_WORDS:
        print(f"{share:.2f} words such as who and whose in 1,000 words of prose; at most {MAX_PER_1000_WORDS:g}")
    return int(found > 0 or share > MAX_PER_1000_WORDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
