"""Rooms run by each of the three models. Each test of this folder runs once for each model."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from protocol.messages import Model
from tests import running
from tests.running import Server


@pytest.fixture(params=[model.value for model in Model], scope="session")
def model(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def start(start_server: Callable[..., Server], model: str) -> Callable[..., Server]:
    """`start(*options, sabotage="", fails=False)` starts a server for this test only."""
    return partial(start_server, model)


@pytest.fixture(scope="session")
def open_room(model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = running.start(model, tmp_path_factory.mktemp(model), "--history", "0", "--max-line", "65536")
    yield server
    server.close()


@pytest.fixture
def room(open_room: Server) -> Iterator[Server]:
    """A room that many tests use one after the other, so a test must not depend on its state."""
    yield open_room
    open_room.clear()
    assert "Traceback" not in open_room.log(), open_room.log()
    watcher = open_room.rich("the-next-test")
    running.wait_until(lambda: watcher.status()["connections"] == 1, "everybody of the test before has gone")
    watcher.command("quit")
    watcher.expect("goodbye")
    open_room.clear()
