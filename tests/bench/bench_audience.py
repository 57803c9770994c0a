"""A small audience against each model, in a real server process: the time until all have got the lines.

docs/models.md compares an audience of a thousand with a server in C and with an IRC server. Here all clients are in one
process, which reads as fast as it can and shares the machine with the server. The figures compare the models with each
other on one machine only.
"""

import selectors
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests import running
from tests.bench.conftest import PerSecond

AUDIENCE, SPEAKERS = 100, 10
MARK = b"#"
"""Stands once in each line, so that lines can be counted in any piece of the stream."""
LINE = b"a line of the length that people write, more or less, when they chat " + MARK + b"\n"
PATIENCE = 60.0


class Audience:
    """Plain clients of one server, with one selector."""

    def __init__(self, model: str, folder: Path) -> None:
        self.server = running.start(model, folder)
        self.sockets = [self.server.plain(f"member{number}").socket for number in range(AUDIENCE)]
        self.selector = selectors.DefaultSelector()
        for sock in self.sockets:
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ)

    def talk(self, speakers: int, lines: int) -> None:
        """Have `speakers` clients say `lines` lines each, and wait until all clients have got them."""
        for sock in self.sockets[:speakers]:
            sock.send(LINE * lines)  # A few kilobytes, which the kernel takes at once.
        missing = speakers * lines * (AUDIENCE - 1)  # A plain client does not get its own lines.
        deadline = time.monotonic() + PATIENCE
        while missing:
            assert time.monotonic() < deadline, f"{missing} lines never came"
            for key, _ in self.selector.select(1):
                assert isinstance(key.fileobj, type(self.sockets[0]))
                missing -= key.fileobj.recv(1 << 16).count(MARK)
        assert missing == 0

    def close(self) -> None:
        self.selector.close()
        self.server.close()


@pytest.fixture(scope="module", params=["process", "thread", "event"])
def audience(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audience]:
    audience = Audience(request.param, tmp_path_factory.mktemp(request.param))
    yield audience
    audience.close()


@pytest.mark.benchmark(group=f"an audience of {AUDIENCE}: one says a line")
def test_a_line(benchmark: BenchmarkFixture, audience: Audience, per_second: PerSecond) -> None:
    benchmark.pedantic(audience.talk, args=(1, 1), rounds=100, warmup_rounds=5)
    per_second(AUDIENCE - 1, "deliveries")


@pytest.mark.benchmark(group=f"an audience of {AUDIENCE}: {SPEAKERS} say 20 lines each")
def test_a_burst(benchmark: BenchmarkFixture, audience: Audience, per_second: PerSecond) -> None:
    benchmark.pedantic(audience.talk, args=(SPEAKERS, 20), rounds=50, warmup_rounds=5)
    per_second(SPEAKERS * 20 * (AUDIENCE - 1), "deliveries")
