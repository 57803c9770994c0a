"""Members in WebSockets against the same number of raw ones: processor time a delivery, latency and memory.

Both rooms are open at the same time, and lines are said in turns, so that a change of the machine's speed hits both.
All clients are in this process, and share the machine with the server. BENCH_MEMBERS sets the number of members of a
room. Needs /proc, as the ticks of psutil are too coarse for a thousand workers.
"""

import os
import selectors
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from protocol.websocket import encode_masked
from tests import running
from tests.bench.conftest import Remark
from three_chat_rooms import raise_file_limit

MEMBERS = int(os.environ.get("BENCH_MEMBERS", "1000"))
LINES, ROUNDS = 10, 20
"""Lines of one turn of a room, and turns of each."""
MARK = b"#"
SAY = b'{"type":"say","id":"","text":"a line of the length that people write, more or less, when they chat #"}\n'
PATIENCE = 120.0
MODELS = ["event", "thread", "process"]


def processor_seconds(root: psutil.Process) -> float:
    """The time that all threads of a process and its descendants have run (proc(5): schedstat)."""
    total = 0
    for process in (root, *root.children(recursive=True)):
        for task in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
            with suppress(OSError):
                total += int(task.read_text().split()[0])
    return total / 1e9


class Audience:
    """A room whose members come in one way."""

    def __init__(self, model: str, door: str, folder: Path) -> None:
        self.server = running.start(model, folder)
        empty = self.server.facts().memory
        join = self.server.web if door == "web" else self.server.rich
        self.sockets = [join(f"member{number}").socket for number in range(MEMBERS)]
        self.say = encode_masked(SAY, b"mask") if door == "web" else SAY
        self.memory_each = (self.server.facts().memory - empty) / MEMBERS
        self.selector = selectors.DefaultSelector()
        for sock in self.sockets:
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ)
        self.drain()
        self.processor = 0.0
        self.latencies: list[float] = []

    def drain(self) -> None:
        """Read until nothing more comes: the presence of the newcomers."""
        while found := self.selector.select(1.0):
            for key, _ in found:
                key.fileobj.recv(1 << 20)  # type: ignore[union-attr]  # it is a socket

    def talk(self) -> None:
        """Say LINES lines, each after all members have the one before, and measure."""
        before = processor_seconds(self.server.process)
        for number in range(LINES):
            said_at = time.monotonic()
            self.sockets[number % MEMBERS].send(self.say)
            missing = MEMBERS
            while missing:
                found = self.selector.select(1.0)
                assert time.monotonic() < said_at + PATIENCE, f"{missing} lines never came"
                for key, _ in found:
                    marks = key.fileobj.recv(1 << 16).count(MARK)  # type: ignore[union-attr]  # it is a socket
                    self.latencies += [time.monotonic() - said_at] * marks
                    missing -= marks
        self.processor += processor_seconds(self.server.process) - before

    def p99(self) -> float:
        return sorted(self.latencies)[int(0.99 * len(self.latencies))]

    def close(self) -> None:
        self.selector.close()
        self.server.close()


@pytest.fixture(params=MODELS)
def rooms(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, dict[str, Audience]]]:
    if not Path("/proc/self/schedstat").exists():
        pytest.skip("this system has no /proc/PID/schedstat")
    raise_file_limit()
    rooms: dict[str, Audience] = {}
    for door in ("raw", "web"):
        (tmp_path / door).mkdir()
        rooms[door] = Audience(request.param, door, tmp_path / door)
    yield request.param, rooms
    for room in rooms.values():
        room.close()


def test_web_against_raw(benchmark: BenchmarkFixture, rooms: tuple[str, dict[str, Audience]], remark: Remark) -> None:
    model, audiences = rooms
    benchmark.group = f"{MEMBERS:,} members in WebSockets beside {MEMBERS:,} raw ones: {LINES} lines to all of them"

    def talk_in_turns() -> None:
        for audience in audiences.values():
            audience.talk()

    benchmark.pedantic(talk_in_turns, rounds=ROUNDS)
    remark(benchmark.group, f"{model:<8} {compared(audiences['raw'], audiences['web'])}")


def compared(raw: Audience, web: Audience) -> str:
    """The figures of both, with their ratios, as one line."""
    deliveries = LINES * MEMBERS * ROUNDS
    figures = (
        ("processor", "µs a delivery", 1e6 / deliveries, raw.processor, web.processor),
        ("p99", "ms", 1e3, raw.p99(), web.p99()),
        ("memory", "KiB each", 1 / 1024, raw.memory_each, web.memory_each),
    )
    return "   ".join(
        f"{name} {one * unit:7.1f} and {other * unit:7.1f} {words} ({other / one:.2f})"
        for name, words, unit, one, other in figures
    )
