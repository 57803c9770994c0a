import errno
import json
import os
import stat
from pathlib import Path

import pytest

from protocol.messages import Said
from tui.transcript import file as transcript_file
from tui.transcript.file import CannotSave, TranscriptFile, save
from tui.transcript.formats import TranscriptEntry, entries_of

AT = 1_795_464_840.0


def lines(*texts: str) -> list[TranscriptEntry]:
    return entries_of([Said(seq, "ada", text, AT) for seq, text in enumerate(texts, 1)], AT)


def texts(path: Path) -> list[str]:
    return [json.loads(line)["text"] for line in path.read_text().splitlines()]


class Troubles(list[str]):
    def __call__(self, sentence: str) -> None:
        self.append(sentence)


class Disk:
    """A full disk: os.write accepts only `room` more bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self._write = os.write
        monkeypatch.setattr(transcript_file.os, "write", self.write)

    def write(self, descriptor: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(descriptor, bytes(data[: self.room]))
        self.room -= written
        return written


def test_each_line_is_written_at_once(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    file = TranscriptFile(path, Troubles())
    file.add(lines("one"))
    assert texts(path) == ["one"]
    file.add(lines("two", "three"))
    assert texts(path) == ["one", "two", "three"]
    assert file.sync() == ""
    assert file.close([]) == ""
    assert texts(path) == ["one", "two", "three"]


def test_markdown_file_is_created_at_once_and_written_at_end(tmp_path: Path) -> None:
    path = tmp_path / "talk.md"
    file = TranscriptFile(path, Troubles())
    file.add(lines("one"))
    assert path.read_bytes() == b""
    assert file.close(lines("one")) == ""
    assert "**ada** one" in path.read_text()


def test_transcript_file_is_readable_only_by_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    TranscriptFile(path, Troubles()).close([])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["talk.jsonl", "talk.md"])
def test_existing_file_is_never_overwritten(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("mine")
    with pytest.raises(CannotSave, match="already exists, and is not overwritten"):
        TranscriptFile(path, Troubles())
    with pytest.raises(CannotSave, match="already exists, and is not overwritten"):
        save(str(path), lines("one"), AT)
    assert path.read_text() == "mine"


def test_a_link_to_a_file_is_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "mine")
    (tmp_path / "dangling.jsonl").symlink_to(tmp_path / "nothing")
    for name in ("link.jsonl", "dangling.jsonl"):
        with pytest.raises(CannotSave):
            save(str(tmp_path / name), lines("one"), AT)
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("name", ["no/such/folder/talk.jsonl", "", "x\0y", "a" * 300])
def test_a_name_that_will_not_do_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotSave) as refused:
        TranscriptFile(tmp_path / name, Troubles())
    assert "Errno" not in str(refused.value)


def test_saving_without_a_name_finds_a_free_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [save("", lines("one"), AT) for _ in range(3)]
    assert len(set(paths)) == 3
    assert all(texts(tmp_path / path) == ["one"] for path in paths)


def test_save_without_a_free_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(99):
        save("", [], AT)
    with pytest.raises(CannotSave, match="give a name"):
        save("", [], AT)


def test_save_uses_the_format_of_the_name(tmp_path: Path) -> None:
    save(str(tmp_path / "a.MD"), lines("one"), AT)
    save(str(tmp_path / "a.txt"), lines("one"), AT)
    assert "**ada** one" in (tmp_path / "a.MD").read_text()
    assert texts(tmp_path / "a.txt") == ["one"]


def test_full_disk_is_reported_once_and_lines_written_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, troubles, disk = tmp_path / "talk.jsonl", Troubles(), Disk(monkeypatch, 40)
    file = TranscriptFile(path, troubles)
    file.add(lines("one"))
    file.add(lines("two"))
    file.write()
    assert len(troubles) == 1
    assert "no space left on device; the room goes on" in troubles[0]
    assert path.stat().st_size == 40  # The rest of the incomplete line is written later.
    disk.room = 10_000
    file.write()
    assert file.close([]) == ""
    assert texts(path) == ["one", "two"]


def test_full_disk_waiting_bytes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Disk(monkeypatch, 0)
    monkeypatch.setattr(transcript_file, "MAX_WAITING_BYTES", 1000)
    file = TranscriptFile(tmp_path / "talk.jsonl", Troubles())
    for _ in range(100):
        file.add(lines("x" * 200))
    assert len(file._waiting) < 2000
    assert "the disk took nothing of it" in file.close([])


def entries(path: Path) -> list[object]:
    """The text of each entry, or the number of a gap."""
    return [line.get("text") or line["missed"] for line in map(json.loads, path.read_text().splitlines())]


def test_full_disk_dropped_lines_become_a_reported_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, troubles, disk = tmp_path / "talk.jsonl", Troubles(), Disk(monkeypatch, 0)
    monkeypatch.setattr(transcript_file, "MAX_WAITING_BYTES", 1000)
    file = TranscriptFile(path, troubles)
    for number in range(100):
        file.add(lines(f"{number} {'x' * 200}"))
    kept = len(file._waiting.splitlines())
    disk.room = 10**6
    file.write()
    file.add(lines("after"))
    lost = 100 - kept
    assert [str(entry).partition(" ")[0] for entry in entries(path)] == [*map(str, range(kept)), str(lost), "after"]
    assert troubles[1:] == [f"the transcript {path} is written again; {lost} things that happened are missing in it"]
    assert file.close([]) == f"the transcript {path} is incomplete: {lost} things that happened are missing in it"


def test_close_reports_lines_dropped_until_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, disk = tmp_path / "talk.jsonl", Disk(monkeypatch, 0)
    monkeypatch.setattr(transcript_file, "MAX_WAITING_BYTES", 1)
    file = TranscriptFile(path, Troubles())
    file.add(lines("one"))
    file.add(lines("two"))
    disk.room = 10**6
    assert file.close([]) == f"the transcript {path} is incomplete: 1 thing that happened is missing in it"
    assert entries(path) == ["one", 1]


@pytest.mark.parametrize("name", ["/dev/full"])
def test_full_device_is_reported_once_and_at_close(name: str) -> None:
    troubles = Troubles()
    file = TranscriptFile(Path(name), troubles)
    for _ in range(3):
        file.add(lines("one"))
    assert file.sync() == ""
    assert len(troubles) == 1
    assert "no space left on device" in troubles[0]
    assert "is incomplete" in file.close([])
    with pytest.raises(CannotSave, match="could not be written: no space left on device"):
        save(name, lines("one"), AT)


def test_save_on_a_full_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(transcript_file.os, "write", write)
    with pytest.raises(CannotSave, match="could not be written: no space left on device"):
        save(str(tmp_path / "talk.jsonl"), lines("one"), AT)
    assert list(tmp_path.iterdir()) == []


def test_failed_sync_is_reported_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    file = TranscriptFile(tmp_path / "talk.jsonl", Troubles())
    file.add(lines("one"))
    monkeypatch.setattr(transcript_file.os, "fsync", fsync)
    assert file.sync() == "input/output error"
    assert file.sync() == ""  # No data was written since.
    monkeypatch.undo()  # The system reports such an error only once.
    assert "may not be on the disk: input/output error" in file.close([])


def test_deleted_transcript_file_is_reported(tmp_path: Path) -> None:
    """Delete the file, alone or with its folder. The system still accepts writes."""
    folder = tmp_path / "talks"
    folder.mkdir()
    file = TranscriptFile(folder / "talk.jsonl", Troubles())
    file.add(lines("one"))
    assert file.sync() == ""
    (folder / "talk.jsonl").unlink()
    folder.rmdir()
    file.add(lines("two"))
    assert file.sync() == "somebody deleted the file"
    assert file.close([]) == f"the transcript {folder}/talk.jsonl is lost: somebody deleted the file"


@pytest.mark.parametrize("name", ["talk.jsonl", "talk.md"])
def test_transcript_file_that_took_nothing_is_not_left_behind(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = TranscriptFile(tmp_path / name, Troubles())
    Disk(monkeypatch, room=0)
    file.add(lines("one"))
    assert file.close(lines("one")) == f"the transcript {tmp_path}/{name} does not exist: the disk took nothing of it"
    assert list(tmp_path.iterdir()) == []


def test_save_into_a_folder_that_is_read_only_by_then_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The incomplete file cannot be removed either."""

    def refuse(path: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    Disk(monkeypatch, room=0)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(CannotSave, match="could not be written: no space left"):
        save(str(tmp_path / "talk.jsonl"), lines("one"), AT)
