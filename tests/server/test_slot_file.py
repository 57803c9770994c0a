"""A state that outlives its process: whole, whenever the writer is killed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.slot_file import SLOT_BYTES, SlotFile


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "state", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def test_slot_file_that_is_empty_holds_no_state(descriptor: int) -> None:
    assert SlotFile(descriptor).state == b""


def test_slot_file_returns_the_newest_state(descriptor: int) -> None:
    file = SlotFile(descriptor)
    for state in (b"a long state", b"another", b"", b"four"):
        file.write(state)
        assert SlotFile(descriptor).state == state == file.state


@pytest.mark.parametrize("written", [0, 3, 16, 18])
def test_slot_file_whose_writer_was_killed_holds_the_state_before(descriptor: int, written: int) -> None:
    file = SlotFile(descriptor)
    for state in (b"first", b"second", b"third"):
        file.write(state)
    whole = os.pread(descriptor, 30, SLOT_BYTES)
    os.pwrite(descriptor, b"\0" * 30, SLOT_BYTES)
    os.pwrite(descriptor, whole[:written], SLOT_BYTES)
    again = SlotFile(descriptor)
    assert again.state == b"second"
    again.write(b"fourth")
    assert SlotFile(descriptor).state == b"fourth"


def test_slot_file_of_any_bytes_holds_no_state(descriptor: int) -> None:
    os.pwrite(descriptor, b"\xff" * 64, 0)
    os.pwrite(descriptor, os.urandom(64), SLOT_BYTES)
    assert SlotFile(descriptor).state == b""


def test_slot_file_that_cannot_be_written_keeps_its_state(descriptor: int, tmp_path: Path) -> None:
    file = SlotFile(descriptor)
    file.write(b"kept")
    reading = os.open(tmp_path / "state", os.O_RDONLY)
    with pytest.raises(OSError, match="Bad file descriptor"):
        SlotFile(reading).write(b"new")
    os.close(reading)
    with pytest.raises(OSError, match="larger than 16 MiB"):
        file.write(b"x" * SLOT_BYTES)
    assert SlotFile(descriptor).state == b"kept"


def test_slot_file_of_a_pipe_is_refused() -> None:
    reading, writing = os.pipe()
    with pytest.raises(OSError, match="not a regular file"):
        SlotFile(reading)
    os.close(reading)
    os.close(writing)
