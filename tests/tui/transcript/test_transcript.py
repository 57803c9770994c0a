import asyncio
import json
import os
from pathlib import Path

import pytest

from protocol.messages import Pong, Presence, Said
from tests.peers import PATIENCE
from tests.tui.links import until
from tui.transcript import file as transcript_file
from tui.transcript import transcript as module
from tui.transcript.transcript import Transcript

AT = 1_795_464_840.0


def said(text: str) -> Said:
    return Said(1, "ada", text, AT)


def test_what_was_heard_is_kept_in_order_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    minutes = Transcript()
    for text in "abcde":
        minutes.hear([said(text), Pong("1")])
    gap, *kept = [line.event for line in minutes.records]
    assert gap == {"type": "gap", "missed": 2}
    assert [event["text"] for event in kept] == ["c", "d", "e"]


def test_closing_finishes_the_file_once(tmp_path: Path) -> None:
    path = tmp_path / "talk.md"
    minutes = Transcript(path)
    minutes.hear([said("hello")])
    assert minutes.close() == ""
    kept = path.read_text()
    assert "hello" in kept
    minutes.hear([said("too late")])
    assert minutes.close() == ""
    assert path.read_text() == kept


async def test_what_was_written_is_made_safe_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    safe: list[int] = []
    monkeypatch.setattr(module, "SYNC_EVERY", 0.01)
    monkeypatch.setattr(transcript_file.os, "fsync", safe.append)
    minutes = Transcript(tmp_path / "talk.jsonl")
    keeping = asyncio.create_task(minutes.sync_forever())
    minutes.hear([said("one")])
    await until(lambda: len(safe) == 1, "the line is safe")
    minutes.hear([said("two")])
    await until(lambda: len(safe) == 2, "the next one too")
    minutes.close()
    await asyncio.wait_for(keeping, PATIENCE)


async def test_a_disk_with_room_again_gets_what_waited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full, write, told = True, os.write, []

    def on_disk(descriptor: int, data: bytes) -> int:
        if full:
            raise OSError(28, os.strerror(28))
        return write(descriptor, data)

    monkeypatch.setattr(module, "SYNC_EVERY", 0.01)
    monkeypatch.setattr(transcript_file.os, "write", on_disk)
    path = tmp_path / "talk.jsonl"
    minutes = Transcript(path)
    minutes.on_trouble = told.append
    keeping = asyncio.create_task(minutes.sync_forever())
    minutes.hear([said("one")])
    await until(lambda: told, "the trouble is told")
    await asyncio.sleep(0.05)  # So often it is tried again, and not told again.
    assert len(told) == 1
    full = False
    await until(lambda: path.read_text(), "it is written")
    assert json.loads(path.read_text())["text"] == "one"
    minutes.close()
    await keeping


async def test_without_a_file_there_is_nothing_to_keep_safe() -> None:
    await asyncio.wait_for(Transcript().sync_forever(), PATIENCE)


def test_minutes_of_huge_lines_keep_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHARACTERS", 5000)
    minutes = Transcript(now=lambda: 1.0)
    for number in range(1, 101):
        minutes.hear([Said(number, "ada", "x" * 1000, 1.0), Presence(number, 1.0, joined=["y" * 50] * 10)])
    first, *kept = minutes.records
    assert 3 <= len(kept) < 10
    assert first.event["missed"] == 200 - len(kept)
