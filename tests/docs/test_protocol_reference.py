"""docs/protocol.md is what the code says, complete, and its trace is true."""

import ast
import re
from pathlib import Path

import pytest
from msgspec import Struct

from protocol import json_lines
from tests.docs.protocol_examples import CODES, EXAMPLES
from tests.docs.protocol_reference import message_types, render, tag_of
from tests.docs.resume_trace import resume_trace

PACKAGES = ("protocol", "server")


def test_page_matches_code(root: Path) -> None:
    page = (root / "docs" / "protocol.md").read_text()
    assert page == render(), "docs/protocol.md is out of date; `make docs` writes it anew"


@pytest.mark.parametrize("kind", message_types(json_lines.AnyCommand), ids=tag_of)
def test_command_example_is_valid(kind: type[Struct]) -> None:
    assert json_lines.decode_command(json_lines.encode(EXAMPLES[kind])) == EXAMPLES[kind]


@pytest.mark.parametrize("kind", message_types(json_lines.AnyEvent), ids=tag_of)
def test_event_example_is_valid(kind: type[Struct]) -> None:
    assert json_lines.decode_event(json_lines.encode(EXAMPLES[kind])) == EXAMPLES[kind]


@pytest.mark.parametrize("tag", CODES)
def test_codes_are_those_of_the_code(root: Path, tag: str) -> None:
    """Each code that the server can send is explained, and no other."""
    assert set(CODES[tag]) == codes_in_source(root)[tag]


def test_trace_misses_nothing() -> None:
    trace = list(resume_trace())
    assert '"text":"are you there?"' in trace[-4]
    numbers = [int(number) for number in re.findall(r'"seq":(\d+)', trace[-3] + trace[-1])]
    assert numbers == sorted(numbers)


def codes_in_source(root: Path) -> dict[str, set[str]]:
    """The constants that are given to Refused, to Goodbye and to the session's own goodbyes."""
    found: dict[str, set[str]] = {"refused": set(), "goodbye": set()}
    makers = {"Refused": "refused", "Goodbye": "goodbye", "_goodbye": "goodbye"}
    for path in (path for package in PACKAGES for path in (root / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in makers and isinstance(code := node.args[0].value, str):
                found[makers[name]].add(code)
    found["goodbye"].discard("refused")  # The client's own word for a plain sentence that came before any JSON.
    return found
