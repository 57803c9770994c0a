"""A talk that goes on while a test does something else, and a look at which model runs it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from tests.running import RichPeer, Server, wait_until


class Talk:
    """One speaks as fast as the other hears, in a thread of its own. Fails where a line is lost, doubled or moved."""

    def __init__(self, server: Server, number: int) -> None:
        self.speaker = server.plain(f"speaker{number}") if number % 2 else server.rich(f"speaker{number}")
        self.listener = server.rich(f"listener{number}")
        self.name = f"speaker{number}"
        self.said = 0
        self.slowest = 0.0
        self._done = threading.Event()
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            for number in count():
                began = time.monotonic()
                self.speaker.say(f"{number}")  # type: ignore[attr-defined]  # both kinds of peer have it
                assert self.listener.expect("said", nick=self.name)["text"] == f"{number}"
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.said = number + 1
                if self._done.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 (raised again by end, in the test's own thread)
            self._failed.append(error)

    def end(self) -> None:
        self._done.set()
        self._thread.join()
        if self._failed:
            raise self._failed[0]


@contextmanager
def talk(server: Server, pairs: int = 2) -> Iterator[list[Talk]]:
    talks = [Talk(server, number) for number in range(pairs)]
    try:
        wait_until(lambda: all(one.said > 3 for one in talks), "the talk has begun")
        yield talks
        said = [one.said for one in talks]
        wait_until(lambda: all(one.said > before + 3 for one, before in zip(talks, said, strict=True)), "it goes on")
    finally:
        for one in talks:
            one.end()


@contextmanager
def talk_of_eight(server: Server) -> Iterator[RichPeer]:
    """An operator and seven members that talk before, during and after."""
    boss, ada = server.operator(), server.plain("ada")
    with talk(server, pairs=3):
        yield boss
    ada.say("we are all here")
    boss.expect("said", text="we are all here")


def runs_by(server: Server, model: str, connections: int) -> None:
    """The process tree is that of this model, and has nothing of another."""
    threads = connections + 1 if model == "thread" else 1
    wait_until(lambda: server.process.num_threads() == threads, f"{threads} threads")
    if model != "process":
        wait_until(lambda: not server.children(), "no child is left")
    else:
        wait_until(lambda: len(server.children()) >= connections, "a child for each connection")
