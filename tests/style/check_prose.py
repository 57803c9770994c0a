"""Rejects the words of style rule 10 in docstrings and comments; part of `make check`.

    python -m tests.style.check_prose [FILE ...]

A sentence has a noun as its subject, so a reader need not guess whether a client, a thread or a person is meant.
Rejected are the words of `REJECTED` and sentences that begin with "Who" or "What". In addition, all words of the kind
are counted: more than `MAX_PER_1000_WORDS` fail. Code in backquotes and quoted text are left out.
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
OPENING = re.compile(r"(?:^|[.:!?]\s+|\n\s*\n\s*)(Who|What)\b")
COUNTED = re.compile(r"\b(who|whom|whose|whoever|whatever|nobody|everybody)\b", re.IGNORECASE)
QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|“[^”]*”")
MAX_PER_1000_WORDS = 1.0


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Each docstring and each block of comments of Python source, with the number of its first line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=True)
            if docstring is not None:
                yield node.body[0].lineno, docstring
    yield from comment_blocks(source)


def comment_blocks(source: str) -> Iterator[tuple[int, str]]:
    """The comments of Python source; those on lines of their own that follow each other are one block."""
    block: list[str] = []
    first = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line, column = token.start
        continues = line == last + 1 and not token.line[:column].strip()
        if block and not continues:
            yield first, "\n".join(block)
            block = []
        if not block:
            first = line
        block.append(token.string.lstrip("#:! "))
        last = line
    if block:
        yield first, "\n".join(block)


def faults(text: str) -> Iterator[tuple[int, str]]:
    """The offset and the text of each rejected word in a piece of prose."""
    plain = QUOTED.sub(lambda match: " " * len(match[0]), text)
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
        for line, text in prose(file.read_text(encoding="utf-8")):
            words += len(text.split())
            counted += len(COUNTED.findall(QUOTED.sub("", text)))
            for offset, fault in faults(text):
                found += 1
                print(f"{file}:{line + text.count(chr(10), 0, offset)}: {fault}")
    share = 1000 * counted / max(words, 1)
    if share > MAX_PER_1000_WORDS:
        print(f"{share:.1f} words such as who and whose in 1,000 words of prose; at most {MAX_PER_1000_WORDS:g}")
    return int(found > 0 or share > MAX_PER_1000_WORDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
