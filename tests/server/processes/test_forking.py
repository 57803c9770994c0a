"""A fork server of the test's own."""

from collections.abc import Iterator

import psutil
import pytest

from server.processes.forking import ForkServer


@pytest.fixture
def forkserver() -> Iterator[ForkServer]:
    started = ForkServer()
    yield started
    started.close()


def test_it_forks_from_a_state_in_which_nothing_is_left_of_its_rehearsal(forkserver: ForkServer) -> None:
    process = psutil.Process(forkserver._process.pid)
    assert process.children() == []
    assert process.num_fds() == 4, "standard input, output and errors, and the way to the master"


def test_it_ends_when_it_is_needed_no_more() -> None:
    forkserver = ForkServer()
    process = psutil.Process(forkserver._process.pid)
    forkserver.close()
    assert not process.is_running()
