"""PlainParticipant: a member that speaks the plain dialect, as with nc, and records what it says and reads."""

import asyncio
import re
from random import Random

from tests.checker.conditions import Conditions
from tests.checker.history import Ending, PlainHistory, PlainStay

SERVED_BY = re.compile(r"\*\*\* you: process (\d+) ")
RENAMED = re.compile(r"\*\*\* \S+ is taken, so you are (\S+);")
EPOCH = re.compile(r"\*\*\* (epoch \S+)")
MAX_RECONNECT_DELAY_S = 1.0


class PlainParticipant:
    """One member. `run` keeps it in the room until `leave`."""

    def __init__(self, name: str, address: tuple[str, int], random: Random, conditions: Conditions) -> None:
        self.history = PlainHistory(name)
        self.end_cause = ""
        """The act of ours that explains an end of this connection; empty without one."""
        self.worker = 0
        """The process id of its worker when it last asked; 0 without one."""
        self._address = address
        self._random = random
        self._stay: PlainStay | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._is_leaving = False
        self._conditions = conditions
        self._connected_in = self._last_line = ""

    @property
    def is_in_room(self) -> bool:
        """True while it is in the room."""
        return self._stay is not None

    def say(self, text: str) -> None:
        """Say a line, if it is in the room."""
        if self._stay and self._writer and not self._writer.is_closing():
            self._stay.said.append(text)
            self._writer.write(f"{text}\n".encode())

    def ask_where(self) -> None:
        """Ask for the process that serves it. The answer sets `worker` later."""
        self.worker = 0
        if self._stay and self._writer and not self._writer.is_closing():
            self._writer.write(b"/where\n")

    def cut(self, why: str) -> None:
        """Break the connection, for the reason `why`."""
        if self._writer is not None:
            self.end_cause = why
            self._writer.transport.abort()

    def leave(self) -> None:
        """Say goodbye, and do not reconnect."""
        self._is_leaving = True
        if self._writer and not self._writer.is_closing():
            self._writer.write(b"/quit\n")

    async def run(self) -> None:
        """Stay in the room, and reconnect whenever the connection breaks, until it leaves."""
        while not self._is_leaving:
            try:
                reader, self._writer = await asyncio.open_connection(*self._address)
                self.end_cause, self._connected_in, self._last_line = "", self._conditions.epoch, ""
                self._writer.write(f"{self.history.name}\n".encode())
                await self._read(reader)
                self._end("the connection was closed")
            except OSError as error:
                self._end(str(error))
            finally:
                if self._writer:
                    self._writer.transport.abort()
                    self._writer = None
            if not self._is_leaving:
                await asyncio.sleep(self._random.uniform(0, MAX_RECONNECT_DELAY_S))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        while data := await reader.read(1 << 16):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._take(line.decode())

    def _take(self, line: str) -> None:
        if self._stay is None:
            self._last_line = line
            if epoch := EPOCH.fullmatch(line):
                self._stay = PlainStay(epoch[1], self.history.name)
                self.history.stays.append(self._stay)
        elif renamed := RENAMED.match(line):
            self._stay.nick = renamed[1]
        elif line.startswith("*** goodbye: "):
            self._stay.reason = line
        elif served_by := SERVED_BY.match(line):
            self.worker = int(served_by[1])
        elif not line.startswith("*** "):
            self._stay.lines.append(line)

    def _end(self, reason: str) -> None:
        if self._stay is None:
            came_in, self._connected_in = self._connected_in, ""
            if came_in and not (self.end_cause or self._is_leaving or self._conditions.explain_rejection(came_in)):
                self.history.rejections.append(f"{came_in}: {self._last_line or reason}")
            return
        excuse = self.end_cause or self._conditions.explain_end(self._stay.epoch)
        self._stay.reason = self._stay.reason or excuse or reason
        self._stay.ending = Ending.CUT if excuse else Ending.QUIT if self._is_leaving else Ending.DROPPED
        self._stay = None
