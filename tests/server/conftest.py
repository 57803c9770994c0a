"""Servers for the tests of this folder: each is ended after its test, and has died of nothing meanwhile."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import running
from tests.running import Server

StartServer = Callable[..., Server]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """`start_server(model, *options, sabotage="", prefix=(), fails=False)`: `fails` where a traceback is wanted."""
    started: list[tuple[Server, bool]] = []

    def start(model: str, *options: str, fails: bool = False, **more: Any) -> Server:
        server = running.start(model, tmp_path, *options, **more)
        started.append((server, fails))
        return server

    yield start
    for server, _ in started:
        server.close()
    for server, fails in started:
        assert fails or "Traceback" not in server.log(), server.log()
