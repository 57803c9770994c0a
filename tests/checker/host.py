"""Host: the server under test, as a process of its own that can be stopped, killed, and started anew on its port.

Each start is an epoch; the server tells it to everybody as its message of the day.
"""

import os
import re
import resource
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic

import psutil

from tests.checker.history import Taken
from tests.peers import PATIENCE
from tests.running import facts_of

ROOT = Path(__file__).parents[2]
KEY = "the checker's own key"
LISTENING = re.compile(r"listening on \S+:(\d+) ")
"""Seconds a start or an end may take."""


class Host:
    """A server, through all its epochs."""

    def __init__(self, folder: Path, model: str, *options: str, mutant: str = "") -> None:
        """`options` are the server's own; `mutant` names what is wrong with it (see tests.checker.mutants)."""
        self.epoch = 0
        self.port = 0
        self.log_path = folder / "server.log"
        self.model = model
        """What it starts with."""
        self._options, self._mutant = options, mutant
        self._motd, self._key = folder / "motd", folder / "key"
        self._key.write_text(KEY)
        self._key.chmod(0o600)
        self._popen: subprocess.Popen[str] | None = None
        self._nurseries: set[int] = set()
        """The processes that fork its workers, and lead their groups, as far as they were seen."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return ("127.0.0.1", self.port)

    @property
    def process(self) -> psutil.Process:
        """The server itself."""
        assert self._popen is not None
        return psutil.Process(self._popen.pid)

    def start(self) -> None:
        """Start it, on the port it had before if there was one."""
        self.epoch += 1
        self._motd.write_text(f"epoch {self.epoch}")
        through = ["-m", "tests.checker.mutants", self._mutant] if self._mutant else ["-m", "server"]
        command = [sys.executable, *through, "--model", self.model, "--bind", f"127.0.0.1:{self.port}"]
        command += ["--motd", str(self._motd), "--operator-key-file", str(self._key), "-v", *self._options]
        with self.log_path.open("ab") as log:
            self._popen = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._popen.stdout is not None
        told = self._popen.stdout.readline() if _readable(self._popen.stdout.fileno()) else ""
        listening = LISTENING.match(told)
        assert listening, f"instead of listening the server said {told!r}, and logged:\n{self.log()}"
        self.port = int(listening[1])

    def end(self, number: int) -> int:
        """Send it a signal that ends it; returns its exit code."""
        assert self._popen is not None
        self._popen.send_signal(signal.SIGCONT)
        self._popen.send_signal(number)
        code = self._popen.wait(PATIENCE)
        if self._popen.stdout:
            self._popen.stdout.close()
        return code

    def close(self) -> None:
        """End it, however it is."""
        if self._popen is None or self._popen.poll() is not None:
            return
        children = self.descendants()
        try:
            self.end(signal.SIGTERM)
        except subprocess.TimeoutExpired:
            self.end(signal.SIGKILL)
        psutil.wait_procs(children, timeout=PATIENCE)

    def descendants(self) -> list[psutil.Process]:
        """All processes below it."""
        with suppress(psutil.NoSuchProcess):
            return self.process.children(recursive=True)
        return []

    def signal_worker(self, pid: int, number: int) -> bool:
        """Send a signal to one of its workers; False where there is no such worker any more."""
        with suppress(ProcessLookupError):
            # Whoever was forked by one that was killed since is no descendant any more, but still of its group.
            if os.getpgid(pid) in self._nurseries or pid in {process.pid for process in self.descendants()}:
                os.kill(pid, number)
                return True
        return False

    def forkserver(self) -> int:
        """The process that forks its workers; 0 where there is none."""
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            for child in self.process.children():
                if os.getpgid(child.pid) == child.pid:
                    self._nurseries.add(child.pid)
                    return child.pid
        return 0

    def taken(self, connections: int) -> Taken:
        """What it takes now, with so many connections."""
        facts = facts_of(self.process)
        return Taken(connections, facts.fds, facts.threads, facts.children)

    def pause(self) -> None:
        """SIGSTOP."""
        assert self._popen is not None
        self._popen.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        assert self._popen is not None
        self._popen.send_signal(signal.SIGCONT)

    def allow_files(self, spare: int | None) -> None:
        """Let the server open only so many files more than it has; None for as many as ever. Linux only."""
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        soft = hard if spare is None else self.process.num_fds() + spare
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (soft, hard))

    def log(self) -> str:
        """All it has logged."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""


def _readable(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    deadline = monotonic() + PATIENCE
    return bool(poller.poll(max(0.0, deadline - monotonic()) * 1000))
