"""Tests of the channel between master and worker, with real pipes."""

import os
from collections.abc import Iterator

import pytest

from server.models.support.process import pipes
from server.models.support.process.pipes import ITEM, Channel, pack


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    mine, theirs = pipes.pair()
    yield mine, theirs
    for channel in (mine, theirs):
        for descriptor in (channel.reading, channel.writing):
            try:
                os.close(descriptor)
            except OSError:
                continue


def test_a_frame_arrives_whole_both_ways(ends: tuple[Channel, Channel]) -> None:
    mine, theirs = ends
    mine.send(pack(ITEM, b"down"))
    assert theirs.receive() == [(ITEM, b"down")]
    theirs.send(pack(ITEM, b"up"))
    assert mine.receive() == [(ITEM, b"up")]


def test_the_masters_end_does_not_wait_where_there_is_nothing(ends: tuple[Channel, Channel]) -> None:
    assert ends[0].receive() == []


def test_channel_with_a_full_pipe_flushes_the_rest_in_order(ends: tuple[Channel, Channel]) -> None:
    mine, theirs = ends
    payloads = [bytes([number]) * 50_000 for number in range(20)]
    for payload in payloads:
        mine.send(pack(ITEM, payload))
    assert len(mine.unsent) > 500_000
    got: list[tuple[bytes, bytes]] = []
    while mine.unsent:
        got += theirs.receive() or []
        mine.flush()
    while len(got) < len(payloads):
        got += theirs.receive() or []
    assert got == [(ITEM, payload) for payload in payloads]


def test_the_other_sides_end_is_found_out_by_receiving(ends: tuple[Channel, Channel]) -> None:
    mine, theirs = ends
    theirs.close()
    mine.send(pack(ITEM, b"x" * 100_000))
    assert not mine.unsent
    assert mine.receive() is None


def test_channel_at_its_end_returns_earlier_frames_first(ends: tuple[Channel, Channel]) -> None:
    mine, theirs = ends
    theirs.send(pack(ITEM, b"last words"))
    theirs.close()
    assert mine.receive() == [(ITEM, b"last words")]
    assert mine.receive() is None


def test_without_descriptors_none_is_left_open() -> None:
    """Runs in a child, because the limit applies to a whole process."""
    pid = os.fork()
    if pid == 0:
        os._exit(_pair_at_the_limit())
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def _pair_at_the_limit() -> int:
    import resource

    os.closerange(3, 256)
    resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))  # Room for one pipe and a half.
    try:
        pipes.pair()
    except OSError:
        os.pipe()  # The descriptors of the first pipe have been closed.
        return 0
    return 1
