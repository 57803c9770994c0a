"""Guests by ssh: what the door's process costs with many of them, and how long a line takes to all.

The clients are in this process, and share the machine with the server and the door. The processor time and the memory
are those of the door alone.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests import running
from tests.bench.conftest import PerSecond, Remark
from tests.tui.ssh.conftest import SshRoom

GUESTS, LINES_A_SECOND = 200, 20
MEASURED_S = 10
LINE = "a line of the length that people write, more or less, when they chat #"
PATIENCE_S = 60.0
ARRIVING = 3
"""Guests that log in at a time: the door takes no more from one address."""


class Counter(asyncssh.SSHClientSession[str]):
    """A guest that counts the lines that it hears."""

    def __init__(self) -> None:
        self.lines = 0
        self.joined = asyncio.Event()

    def data_received(self, data: str, datatype: asyncssh.DataType) -> None:
        self.lines += data.count("#")
        if "/help" in data:
            self.joined.set()


class Guests:
    """A room with guests by ssh, and one member that speaks."""

    def __init__(self, folder: Path) -> None:
        self._server = running.start("event", folder, "--ssh", "127.0.0.1:0", "--ssh-host-key", str(folder / "key"))
        self._room = SshRoom(self._server)
        self.door = next(one for one in self._server.process.children() if "tui.ssh" in one.cmdline())
        self._speaker = self._server.rich("speaker").socket
        self._loop = asyncio.new_event_loop()
        self._guests: list[Counter] = []
        self._connections: list[asyncssh.SSHClientConnection] = []
        self.memory_before = self.door.memory_full_info().uss
        began = self.processor_time
        self._loop.run_until_complete(self._fill())
        self.join_s = (self.processor_time - began) / GUESTS

    @property
    def processor_time(self) -> float:
        times = self.door.cpu_times()
        return times.user + times.system

    async def _fill(self) -> None:
        free = asyncio.Semaphore(ARRIVING)
        await asyncio.gather(*[self._join(number, free) for number in range(GUESTS)])

    async def _join(self, number: int, free: asyncio.Semaphore) -> None:
        async with free:
            connection = await asyncssh.connect(
                self._room.host,
                self._room.port,
                username=f"guest{number}",
                known_hosts=None,
                client_keys=None,
                config=None,
                agent_path=None,
            )
            _, guest = await connection.create_session(Counter, term_type="xterm", encoding="utf-8")
            await guest.joined.wait()
        self._connections.append(connection)
        self._guests.append(guest)

    def talk(self, lines: int) -> None:
        """Say lines at once, and wait until all guests have them."""
        self._loop.run_until_complete(self._say(lines))

    async def _say(self, lines: int, interval: float = 0.0) -> None:
        wanted = [guest.lines + lines for guest in self._guests]
        began = time.monotonic()
        for number in range(lines):
            self._speaker.sendall(f'{{"type":"say","id":"","text":"{LINE}"}}\n'.encode())
            await asyncio.sleep(max(0.0, began + (number + 1) * interval - time.monotonic()))
        while any(guest.lines < count for guest, count in zip(self._guests, wanted, strict=True)):
            assert time.monotonic() < began + PATIENCE_S
            await asyncio.sleep(0.002)

    def cores(self) -> float:
        """The share of a processor that the door takes with so many lines a second."""
        used = self.processor_time
        self._loop.run_until_complete(self._say(MEASURED_S * LINES_A_SECOND, 1 / LINES_A_SECOND))
        return (self.processor_time - used) / MEASURED_S

    @property
    def memory_each(self) -> float:
        """The memory of a session, in bytes."""
        return (self.door.memory_full_info().uss - self.memory_before) / GUESTS

    def close(self) -> None:
        for connection in self._connections:
            connection.abort()
        self._loop.run_until_complete(asyncio.sleep(0.1))
        self._loop.close()
        self._server.close()


@pytest.fixture(scope="module")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    guests = Guests(tmp_path_factory.mktemp("ssh"))
    yield guests
    guests.close()


GROUP = f"{GUESTS} guests by ssh"


@pytest.mark.benchmark(group=GROUP)
def test_a_line_to_all(benchmark: BenchmarkFixture, guests: Guests, per_second: PerSecond, remark: Remark) -> None:
    benchmark.pedantic(guests.talk, args=(1,), rounds=30, warmup_rounds=3)
    per_second(GUESTS, "deliveries")
    remark(GROUP, f"{guests.memory_each / 1024:.0f} KiB a session")
    remark(GROUP, f"{1000 * guests.join_s:.0f} ms of a processor for each guest that joins")
    remark(GROUP, f"{guests.cores():.2f} of a processor with {LINES_A_SECOND} lines a second")
