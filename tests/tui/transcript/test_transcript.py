"""`Transcript` records the room's events for /save and in a file; with the screen and the pipe that use it."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from protocol.messages import Pong, Presence, Said
from tests.running import PATIENCE, ROOT, Server
from tests.tui.acting import acting
from tests.tui.conftest import StartServer
from tests.tui.links import address_of, until
from tests.tui.screens.operators import acting_operator
from tui.transcript import file as transcript_file
from tui.transcript import transcript as module
from tui.transcript.formats import RecordedGap
from tui.transcript.transcript import Transcript

AT = 1_795_464_840.0


def said(text: str) -> Said:
    return Said(1, "ada", text, AT)


def test_transcript_keeps_the_latest_entries_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 3)
    transcript = Transcript()
    for text in "abcde":
        transcript.record([said(text), Pong("1")])
    assert transcript.entries == [RecordedGap(AT, 2), said("c"), said("d"), said("e")]


def test_closing_finishes_the_file_once(tmp_path: Path) -> None:
    path = tmp_path / "talk.md"
    transcript = Transcript(path)
    transcript.record([said("hello")])
    assert transcript.close() == ""
    kept = path.read_text()
    assert "hello" in kept
    transcript.record([said("too late")])
    assert transcript.close() == ""
    assert path.read_text() == kept


async def test_transcript_syncs_written_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    safe: list[int] = []
    monkeypatch.setattr(module, "SYNC_INTERVAL_S", 0.01)
    monkeypatch.setattr(transcript_file.os, "fsync", safe.append)
    transcript = Transcript(tmp_path / "talk.jsonl")
    keeping = asyncio.create_task(transcript.sync_forever())
    transcript.record([said("one")])
    await until(lambda: len(safe) == 1, "the line is safe")
    transcript.record([said("two")])
    await until(lambda: len(safe) == 2, "the next one too")
    transcript.close()
    await asyncio.wait_for(keeping, PATIENCE)


async def test_transcript_retries_after_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full, write, told = True, os.write, []

    def on_disk(descriptor: int, data: bytes) -> int:
        if full:
            raise OSError(28, os.strerror(28))
        return write(descriptor, data)

    monkeypatch.setattr(module, "SYNC_INTERVAL_S", 0.01)
    monkeypatch.setattr(transcript_file.os, "write", on_disk)
    path = tmp_path / "talk.jsonl"
    transcript = Transcript(path)
    transcript.on_trouble = told.append
    keeping = asyncio.create_task(transcript.sync_forever())
    transcript.record([said("one")])
    await until(lambda: told, "the trouble is told")
    await asyncio.sleep(0.05)  # Several retries, without another report.
    assert len(told) == 1
    full = False
    await until(lambda: path.read_text(), "it is written")
    assert json.loads(path.read_text())["text"] == "one"
    transcript.close()
    await keeping


async def test_sync_forever_without_a_file_returns() -> None:
    await asyncio.wait_for(Transcript().sync_forever(), PATIENCE)


def test_minutes_of_huge_lines_keep_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT_CHARACTERS", 5000)
    transcript = Transcript(now=lambda: 1.0)
    for number in range(1, 101):
        transcript.record([Said(number, "ada", "x" * 1000, 1.0), Presence(number, 1.0, joined=["y" * 50] * 10)])
    first, *kept = transcript.entries
    assert 3 <= len(kept) < 10
    assert first == RecordedGap(1.0, 200 - len(kept))


def pipe(server: Server, lines: str, *options: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Say lines through `chat-tui --plain`, in a folder."""
    command = [sys.executable, "-m", "tui", "--plain", "-n", "ada", *options, str(address_of(server))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, input=lines, capture_output=True, text=True, timeout=PATIENCE * 2, cwd=folder, env=environment
    )


def told(path: Path) -> list[str]:
    return [str(json.loads(line).get("text", "")) for line in path.read_text().splitlines()]


def test_pipe_writes_a_transcript_and_saves(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    done = pipe(server, "one\n/save then.md\ntwo\n", "--transcript", "talk.jsonl", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [text for text in told(tmp_path / "talk.jsonl") if text] == ["one", "two", "see you"]
    assert "--- what was said is in then.md" in done.stderr
    assert (tmp_path / "then.md").read_text().startswith("# A tale of three chat rooms")


def test_pipe_existing_transcript_is_refused_before_joining(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    (tmp_path / "talk.jsonl").write_text("mine")
    done = pipe(server, "one\n", "--transcript", "talk.jsonl", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "chat-tui: talk.jsonl already exists, and is not overwritten\n"
    assert (tmp_path / "talk.jsonl").read_text() == "mine"


def test_full_disk_is_reported_once_and_the_room_continues(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    bob = server.plain("bob")
    done = pipe(server, "one\ntwo\nthree\n", "--transcript", "/dev/full", folder=tmp_path)
    bob.expect("ada: three")
    assert done.stderr.count("no space left on device; the room goes on") == 1
    assert (
        done.stderr.splitlines()[-1]
        == "chat-tui: the transcript /dev/full is incomplete: the disk did not take all of it"
    )
    assert done.returncode == 1


@pytest.mark.parametrize("name", ["talk.jsonl", "talk.md"])
async def test_the_screen_keeps_switches_moderation_and_chaos(
    start_server: StartServer, tmp_path: Path, name: str
) -> None:
    server = start_server()
    bob = server.plain("bob")
    path = tmp_path / name
    transcript = Transcript(path)
    async with acting_operator(server, transcript=transcript) as boss:
        bob.say("\x1b[2J# not a heading")
        await boss.sees("# not a heading")
        await boss.says("/lock")
        await boss.says("/chaos block 50ms")
        await boss.press("f7")
        await boss.sees("locked the room", "blocks", "now a thread each")
    assert transcript.close() == ""
    text = path.read_text()
    for words in ("bob", "locked the room", "blocks event loop of boss for 50 ms", "thread"):
        assert words in text
    assert "\x1b" not in text


async def test_the_screen_saves_by_command_and_refuses_to_write_over(start_server: StartServer, tmp_path: Path) -> None:
    async with acting(address_of(start_server()), "ada", size=(140, 30)) as ada:
        await ada.says("remember this")
        await ada.sees("ada  remember this")
        for words in ("what was said is in ", "already exists"):
            await ada.says(f"/save {tmp_path}/talk.jsonl")
            await ada.sees(words)
    assert "remember this" in told(tmp_path / "talk.jsonl")


async def test_the_screen_tells_of_a_full_disk_and_goes_on(start_server: StartServer) -> None:
    server = start_server()
    bob = server.plain("bob")
    transcript = Transcript(Path("/dev/full"))
    async with acting(address_of(server), "ada", transcript=transcript) as ada:
        await ada.sees("no space left on device")
        await ada.says("still here")
        bob.expect("ada: still here")
    assert "is incomplete" in transcript.close()


def test_a_host_in_a_pipe_gives_orders(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tui", "--plain", "--host", "--bind", "127.0.0.1:0", "-n", "ada"]
    orders = "/pin a line\n/slow 5\n/slow off\n/lock\n/kick nobody\n/slow down\n/chaos fire\n"
    done = subprocess.run(
        command,
        input=orders,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    for words in ("*** ada pinned: a line", "a line every 5 s", "*** ada ended slow mode", "*** ada locked the room"):
        assert words in done.stdout
    assert "nobody here is called nobody" in done.stderr
    assert "--- /slow takes the seconds between two lines, up to 3600, or off" in done.stderr
    assert "--- /chaos takes a fault" in done.stderr
    assert done.returncode == 1


async def test_app_unwritable_settings_are_reported_once(start_server: StartServer) -> None:
    async with acting(address_of(start_server()), "ada", remember=lambda settings: False) as ada:
        await ada.sees("your settings cannot be written to")
        ada.app.client.change_settings(times=False)
        ada.app.client.change_settings(times=True)
        await ada.says("hello")
        await ada.sees("ada  hello")
        assert ada.picture.count("your settings cannot be written to") == 1
