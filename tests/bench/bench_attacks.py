"""Attacks from one address, bounded in count and time, and their effect on the other clients.

The attacker connects from 127.0.0.2, which only Linux accepts without configuration; the others from 127.0.0.1.
"""

import hmac
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.peers import OPERATOR_KEY, PATIENCE
from tests.running import Server, start, wait_until

ATTACKER = "127.0.0.2"
SECONDS = 6.0
MODELS = ("process", "thread", "event")

Open = Callable[..., Server]


@pytest.fixture
def open_server(tmp_path: Path) -> Iterator[Open]:
    servers: list[Server] = []

    def open_one(model: str, rate: str = "10/2") -> Server:
        servers.append(start(model, tmp_path, "--rate-limit", rate))
        return servers[-1]

    yield open_one
    for server in servers:
        server.close()


def attack(server: Server, data: bytes = b"") -> socket.socket:
    """Connect from the address of the attacker, and send the data."""
    try:
        sock = socket.create_connection(server.address, PATIENCE, source_address=(ATTACKER, 0))
    except OSError as error:
        pytest.skip(f"no connection from {ATTACKER}: {error.strerror}")
    sock.sendall(data)
    return sock


def paced(a_second: float, seconds: float) -> Iterator[int]:
    """Count, at a rate of `a_second`, for so many seconds."""
    began = time.monotonic()
    for number in range(int(a_second * seconds)):
        time.sleep(max(0.0, began + number / a_second - time.monotonic()))
        if time.monotonic() > began + seconds:
            return
        yield number


def finish(benchmark: BenchmarkFixture, run: Callable[[], str]) -> None:
    """Run the attack once, and print its figures."""
    print(f"\n{benchmark.name}: {benchmark.pedantic(run, rounds=1)}")


@pytest.mark.parametrize("model", MODELS)
def test_reconnecting_with_bursts(benchmark: BenchmarkFixture, open_server: Open, model: str) -> None:
    """230 connections a second, each of which says a full burst of lines."""
    server = open_server(model)
    listener = server.plain("listener")

    def run() -> str:
        lines, count = b"".join(b"spam %d\n" % number for number in range(9)), 0
        for number in paced(230, SECONDS):
            sock = attack(server, b"eve%d\n" % number + lines)
            sock.shutdown(socket.SHUT_WR)
            sock.close()
            count = number + 1
        server.plain("witness").say("that was it")
        heard = 0
        while (line := listener.line()) != "witness: that was it":
            heard += line.startswith("eve")
        return f"{count} connections; {heard / SECONDS:.0f} lines a second were heard"

    finish(benchmark, run)


@pytest.mark.parametrize("model", MODELS)
def test_joins(benchmark: BenchmarkFixture, open_server: Open, model: str) -> None:
    """1,500 connections that join as fast as they can, and members that join from another address meanwhile."""
    server = open_server(model)

    def run() -> str:
        took = []
        flood = [attack(server, b"eve%d\n" % number) for number in range(1500)]
        for number in range(5):
            began = time.monotonic()
            server.rich(f"guest{number}")
            took.append(time.monotonic() - began)
        for sock in flood:
            sock.close()
        return f"{len(took)} newcomers waited {max(took) * 1000:.0f} ms at most"

    finish(benchmark, run)


@pytest.mark.parametrize("model", MODELS)
def test_guessing_proofs(benchmark: BenchmarkFixture, open_server: Open, model: str) -> None:
    """200 connections that guess proofs without a pause, and a new connection with the right proof."""
    server = open_server(model)
    guess = b'{"type":"operator","proof":"a guess"}\n'
    guessers = [attack(server, b'{"type":"hello","nick":"eve%d"}\n' % number + guess) for number in range(200)]

    def run() -> str:
        for _ in paced(2, 3):
            for guesser in guessers:
                guesser.sendall(guess)
        boss = server.rich("boss")
        began = time.monotonic()
        boss.command(
            "operator", proof=hmac.new(OPERATOR_KEY.encode(), boss.welcome["nonce"].encode(), "sha256").hexdigest()
        )
        boss.expect("operator", patience=60)
        return f"the right proof was found after {(time.monotonic() - began) * 1000:.0f} ms"

    finish(benchmark, run)
    for guesser in guessers:
        guesser.close()


@pytest.mark.parametrize("model", MODELS)
def test_resuming(benchmark: BenchmarkFixture, open_server: Open, model: str) -> None:
    """200 members that resume, request the whole history, and read nothing of it."""
    server = open_server(model, "off")
    boss = server.operator()
    for number in range(600):  # 1.1 MiB
        boss.say(f"{number} " + "x" * 1900, id=f"{number}")
        boss.expect("said", id=f"{number}")
    tokens = []
    for number in range(200):
        eve = server.rich(f"eve{number}", resume={"token": "none", "after": 0})
        tokens.append(eve.welcome["token"])
        eve.close()

    def memory() -> float:
        server_and_workers = [server.process, *server.children()]
        return sum(process.memory_full_info().uss for process in server_and_workers if process.is_running()) / 2**20

    def run() -> str:
        before = peak = memory()
        hello = '{"type":"hello","nick":"eve%d","resume":{"token":"%s","after":0}}\n'
        socks = []
        for number in paced(100, 2):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.bind((ATTACKER, 0))
            sock.connect(server.address)
            sock.sendall((hello % (number, tokens[number])).encode())
            socks.append(sock)
            if number % 20 == 0:
                peak = max(peak, memory())
        for _ in range(4):
            time.sleep(0.5)
            peak = max(peak, memory())
        for sock in socks:
            sock.close()
        wait_until(lambda: boss.status()["connections"] <= 2, "they have gone", 30)
        time.sleep(1.0)
        after = memory()
        return f"{before:.0f} MiB before, {peak:.0f} at most, {after:.0f} left behind in all"

    finish(benchmark, run)
