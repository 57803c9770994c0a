"""Meter: what the running model costs now, as psutil sees this process, the fork server and the workers.

Memory is the unique set size: pages that belong to one process alone. Pages that the workers share are counted once, at
the fork server, with its whole resident memory. Reading walks a process's page tables, so only a few of many
workers are read, and stand for the others.
"""

import logging
import threading
from collections.abc import Sequence
from time import monotonic

import psutil
from msgspec.structs import replace

from server.room.state import ResourceUsage

log = logging.getLogger("chat.server")

CPU_INTERVAL_S = 0.5
"""Seconds. The meter is also asked when a member joins, many times a second."""
SAMPLE_SIZE = 8
"""Workers that stand for all."""


class Meter:
    """Measures this process and its workers. Not safe for two threads at once."""

    def __init__(self) -> None:
        """Make it before the first connection: the memory in use now belongs to none."""
        self._own: psutil.Process | None = None
        self._empty = 0
        try:
            self._own = psutil.Process()
            self._empty = self._own.memory_full_info().uss
        except (OSError, psutil.Error):
            log.warning("memory and processor time cannot be measured, as /proc cannot be read")
        self._sample: list[psutil.Process] = []
        self._cpu: dict[int, float] = {}
        self._in_use = 0.0
        self._measured_at = monotonic()
        self._last = ResourceUsage()

    def __call__(self, workers: Sequence[int]) -> ResourceUsage:
        """The cost now. `workers` has, for each connection, the pid of the process that serves it alone, or 0.

        Processes and threads are always counted. If memory cannot be measured, as when no descriptor is left to read
        /proc with, it is the last figure of the same model, or 0 if there is none.
        """
        pids = [pid for pid in workers if pid]
        if self._own is not None:
            try:
                self._last = self._measure(self._own, pids, len(workers))
                return self._last
            except (OSError, psutil.Error) as error:
                log.debug("what the room costs could not be measured: %s", error)
        last = self._last if bool(pids) == (self._last.processes > 1) else ResourceUsage()
        return replace(last, processes=_processes(pids), threads=threading.active_count() + _processes(pids) - 1)

    def _measure(self, own_process: psutil.Process, workers: list[int], connections: int) -> ResourceUsage:
        own = own_process.memory_full_info().uss
        if not workers:
            each = max(0, own - self._empty) // connections if connections else 0
            return ResourceUsage(1, own_process.num_threads(), own, each, self._cores([own_process], []))
        self._choose(workers)
        sizes = [size for size in map(_unique, self._sample) if size]
        each = sum(sizes) // len(sizes) if sizes else 0
        forkserver = _parent(self._sample)
        return ResourceUsage(
            processes=_processes(workers),
            threads=own_process.num_threads() + _processes(workers) - 1,
            memory=own + (forkserver.memory_info().rss if forkserver else 0) + each * len(workers),
            memory_each=each,
            cpu=self._cores([own_process, forkserver] if forkserver else [own_process], workers),
        )

    def _choose(self, workers: list[int]) -> None:
        """Keep the sample while it holds: processor time is the difference between two readings of the same process."""
        wanted = min(SAMPLE_SIZE, len(workers))
        alive = set(workers)
        self._sample = [process for process in self._sample if process.pid in alive][:wanted]
        chosen = {process.pid for process in self._sample}
        spread = workers[:: max(1, len(workers) // SAMPLE_SIZE)] + workers
        for pid in dict.fromkeys(pid for pid in spread if pid not in chosen):
            if len(self._sample) == wanted:
                return
            try:
                self._sample.append(psutil.Process(pid))
            except psutil.Error:
                continue

    def _cores(self, exactly: list[psutil.Process], workers: list[int]) -> float:
        """Processor cores in use: those of some processes, and of the sample times its share.

        The average since the last measurement, over at least CPU_INTERVAL_S, as the system's counters are coarse.
        """
        now = monotonic()
        if self._cpu and now < self._measured_at + CPU_INTERVAL_S:
            return self._in_use
        passed, self._measured_at = max(1e-3, now - self._measured_at), now
        before, self._cpu = self._cpu, {}
        share = len(workers) / len(self._sample) if workers and self._sample else 0.0
        used = 0.0
        for process, weight in [(one, 1.0) for one in exactly] + [(one, share) for one in self._sample if share]:
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            self._cpu[process.pid] = times.user + times.system
            used += weight * (self._cpu[process.pid] - before.get(process.pid, self._cpu[process.pid]))
        self._in_use = used / passed
        return self._in_use


def _processes(workers: Sequence[int]) -> int:
    """With workers, the master and the fork server are two more."""
    return 2 + len(workers) if workers else 1


def _unique(process: psutil.Process) -> int:
    """Bytes that belong to this process alone; 0 if it is gone."""
    try:
        return int(process.memory_full_info().uss)
    except psutil.Error:
        return 0


def _parent(sample: list[psutil.Process]) -> psutil.Process | None:
    """The fork server: the parent of the workers."""
    for process in sample:
        try:
            return psutil.Process(process.ppid())  # `parent` also reads /proc/stat, which not every container has.
        except psutil.Error:
            continue
    return None
