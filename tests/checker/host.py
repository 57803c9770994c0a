"""Host: the server under test, a process that can be stopped, killed and started again on its port.

Each start is an epoch. Its name is the message of the day, so all clients learn it.
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

from tests.checker.history import ServerResources
from tests.peers import PATIENCE
from tests.running import facts_of

ROOT = Path(__file__).parents[2]
KEY = "the checker's own key"
LISTENING = re.compile(r"listening on \S+:(\d+) ")


class Host:
    """A server over all its epochs."""

    def __init__(self, folder: Path, model: str, *options: str, mutant: str = "") -> None:
        """`options` are those of chat-server; `mutant` names its mistakes (see tests.checker.mutants)."""
        self.epoch = 0
        self.port = 0
        self.log_path = folder / "server.log"
        self.model = model
        """The model with which it starts."""
        self._options, self._mutant = options, mutant
        self._motd, self._key = folder / "motd", folder / "key"
        self._key.write_text(KEY)
        self._key.chmod(0o600)
        self._popen: subprocess.Popen[str] | None = None
        self._fork_server_pids: set[int] = set()
        """The process ids of its fork servers so far, which are the group ids of their workers too."""

    @property
    def address(self) -> tuple[str, int]:
        """The address at which it listens."""
        return ("127.0.0.1", self.port)

    @property
    def process(self) -> psutil.Process:
        """The process of the server itself."""
        assert self._popen is not None
        return psutil.Process(self._popen.pid)

    def start(self) -> None:
        """Start the server, on the port of the previous epoch if there was one."""
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
        """Send a signal that ends the server; returns the exit code."""
        assert self._popen is not None
        self._popen.send_signal(signal.SIGCONT)
        self._popen.send_signal(number)
        code = self._popen.wait(PATIENCE)
        if self._popen.stdout:
            self._popen.stdout.close()
        return code

    def close(self) -> None:
        """End the server in any state, also if it has ended or hangs."""
        if self._popen is None or self._popen.poll() is not None:
            return
        children = self.descendants()
        try:
            self.end(signal.SIGTERM)
        except subprocess.TimeoutExpired:
            self.end(signal.SIGKILL)
        psutil.wait_procs(children, timeout=PATIENCE)

    def descendants(self) -> list[psutil.Process]:
        """Return its children, their children, and so on."""
        with suppress(psutil.NoSuchProcess):
            return self.process.children(recursive=True)
        return []

    def signal_worker(self, pid: int, number: int) -> bool:
        """Send a signal to one of its workers; returns False if this worker has ended."""
        with suppress(ProcessLookupError):
            # The workers of a killed fork server are no descendants any more, but still in its process group.
            if os.getpgid(pid) in self._fork_server_pids or pid in {process.pid for process in self.descendants()}:
                os.kill(pid, number)
                return True
        return False

    def fork_server_pid(self) -> int:
        """Return the process id of the fork server; 0 without one."""
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            for child in self.process.children():
                if os.getpgid(child.pid) == child.pid:
                    self._fork_server_pids.add(child.pid)
                    return child.pid
        return 0

    def measure_resources(self, connections: int) -> ServerResources:
        """Measure the resources of the server, to which `connections` connections are open."""
        facts = facts_of(self.process)
        return ServerResources(connections, facts.fds, facts.threads, facts.children)

    def pause(self) -> None:
        """Stop the server with SIGSTOP."""
        assert self._popen is not None
        self._popen.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Continue the server with SIGCONT."""
        assert self._popen is not None
        self._popen.send_signal(signal.SIGCONT)

    def limit_open_files(self, spare: int | None) -> None:
        """Limit the server to `spare` more open files; None lifts the limit. Linux only."""
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        soft = hard if spare is None else self.process.num_fds() + spare
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (soft, hard))

    def log(self) -> str:
        """Return the log of all epochs."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""


def _readable(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    deadline = monotonic() + PATIENCE
    return bool(poller.poll(max(0.0, deadline - monotonic()) * 1000))
