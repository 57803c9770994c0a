"""Any input of a terminal becomes complete keys, and none of it blocks the prompt."""

import asyncio
import os
import pty
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit import PromptSession
from prompt_toolkit.input.vt100 import raw_mode
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import DummyOutput

from tests.running import PATIENCE
from tui.line import keyboard
from tui.line.formatting import Line, text_of
from tui.line.keyboard import MAX_INPUT_CHARACTERS, KeyboardInput, key_presses, make_bindings
from tui.terminal.decoder import InputDecoder
from tui.terminal.keyboard import KeyNormalizer

FAR_LATER = 1000.0
FRAGMENTS = (b"\x1b[200~", b"\x1b[201~", b"\x1b[", b"\x1b]", b"\x1bP", b"\x1bO", b"\x1b", b"\x00", b"\x13", b"\x11")
FRAGMENTS += (b"\x18(", b"\x18e", b"\x1b9", b"\x1b-", b"\xff", b"\xc3", b"\x1b[99;5", b"\x1b[M", b"a", b"/")
HOSTILE = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=8), max_size=12)


def pressed(*chunks: bytes) -> list[str]:
    decoder, normalizer = InputDecoder(), KeyNormalizer()
    tokens = [token for chunk in chunks for token in decoder.feed(chunk, 0.0)]
    tokens += decoder.expire(FAR_LATER)
    return [
        str(press.key.value if isinstance(press.key, Keys) else press.key)
        for token in tokens
        for press in key_presses(token, normalizer)
    ]


@pytest.mark.parametrize(
    "reply",
    [
        b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
        b"\x1b]11;rgb:1e1e/1e1e/2e2e\x07",
        b"\x1b[?62;22;52c",
        b"\x1b[>41;366;0c",
        b"\x1bP>|term(0.35.2)\x1b\\",
        b"\x1b[?0u",
        b"\x1b[?997;1n",
        b"\x1b[12;40R",
        b"\x1b[<35;10;10M",
        b"\x1b[M !!",
        b"\x1b[97;5:3u",
        b"\x00",
        b"\x13",
    ],
)
def test_keys_of_a_reply_are_none(reply: bytes) -> None:
    assert pressed(reply, b"x") == ["x"]


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        (b"\x1b[99;5u", ["c-c"]),
        (b"\x1b[1089::99;5u", ["c-c"]),
        (b"\x1b[1089;5u", ["c-c"]),
        (b"\x1b[27;5;100~", ["c-d"]),
        (b"\x1b[97u", ["a"]),
        (b"\x1b[97:65;2u", ["A"]),
        (b"\x1b[13u", ["c-m"]),
        (b"\x1b[27u", ["escape"]),
        (b"\x1b[127u", ["c-h"]),
        (b"\x1b[98;3u", ["escape", "b"]),
        (b"\x1b[1;1:1A", ["up"]),
        (b"\x1bb", ["escape", "b"]),
        ("é".encode(), ["é"]),
        (b"caf\xe9!", ["c", "a", "f", "\ufffd", "!"]),
        (b"\x1b[57441u", []),
    ],
)
def test_keys_of_any_protocol_are_the_same_keys(sent: bytes, keys: list[str]) -> None:
    assert pressed(sent) == keys


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The master side of a pseudo-terminal; the other side is standard input."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as stdin, raw_mode(theirs):
        monkeypatch.setattr(keyboard.sys, "stdin", stdin)
        yield ours
    os.close(ours)


async def said(typed: list[bytes], ours: int, shown: list[Line]) -> str:
    """Type these chunks and return the line that the prompt accepts. Raises the exception that ends the prompt."""
    session: PromptSession[str] = PromptSession(
        input=KeyboardInput(),
        output=DummyOutput(),
        key_bindings=make_bindings(shown.extend, ends_room=False),
        complete_while_typing=False,
    )
    for chunk in typed:
        os.write(ours, chunk)
    async with asyncio.timeout(PATIENCE):
        return await session.prompt_async(set_exception_handler=False)


async def test_prompt_after_a_paste_without_end_takes_keys(terminal: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.terminal.decoder.PASTE_TIMEOUT_S", 0.05)

    async def type_later() -> None:
        await asyncio.sleep(0.3)
        os.write(terminal, b" and typed\r")

    typing = asyncio.create_task(type_later())
    assert await said([b"\x1b[200~half a paste"], terminal, []) == "half a paste and typed"
    await typing


async def test_prompt_after_a_huge_paste_takes_keys(terminal: int) -> None:
    shown: list[Line] = []

    async def type_much() -> None:
        loop = asyncio.get_running_loop()
        paste = b"\x1b[200~" + b"x" * (MAX_INPUT_CHARACTERS + 1) + b"\x1b[201~yes\r"
        await loop.run_in_executor(
            None, lambda: [os.write(terminal, paste[at : at + 512]) for at in range(0, len(paste), 512)]
        )

    typing = asyncio.create_task(type_much())
    assert await said([], terminal, shown) == "yes"
    await typing
    assert [text_of(line) for line in shown] == ["--- The paste of 10,001 characters was left out: 10,000 is the most."]


async def test_prompt_ctrl_c_with_a_begun_line_clears_it(terminal: int) -> None:
    assert await said([b"half\x03whole\r"], terminal, []) == "whole"


@pytest.mark.parametrize(("key", "end"), [(b"\x03", KeyboardInterrupt), (b"\x04", EOFError)])
async def test_prompt_key_on_an_empty_line_leaves(terminal: int, key: bytes, end: type[BaseException]) -> None:
    with pytest.raises(end):
        await said([key], terminal, [])


@given(HOSTILE)
def test_keys_after_any_bytes_are_heard(chunks: list[bytes]) -> None:
    decoder, normalizer = InputDecoder(), KeyNormalizer()
    tokens = [token for chunk in chunks for token in decoder.feed(chunk, 0.0)]
    at = 0.0
    while decoder.deadline is not None:
        at += FAR_LATER
        tokens += decoder.expire(at)
    keys = [press for token in tokens for press in key_presses(token, normalizer)]
    assert all(
        isinstance(press.data, str) and not any(0xD800 <= ord(one) < 0xE000 for one in press.data) for press in keys
    )
    later = [press for token in decoder.feed(b"\x03", at) for press in key_presses(token, normalizer)]
    assert later[-1].key == Keys.ControlC
