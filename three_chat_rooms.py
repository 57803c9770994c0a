"""The commands' entry points, and how their processes find our packages.

The packages have names that other people's files have, too: a `server.py` on PYTHONPATH, or in the folder in which
`python -m tui` is run, would be imported in the place of ours. So each process first has its packages looked up beside
this file. `python -P three_chat_rooms.py MODULE ARGS…` is `python -m MODULE ARGS…` with that done; by its path, this
file itself is always found.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

EXIT_INTERRUPTED = 130
FOLDER = __file__.rpartition("/")[0]  # Without pathlib: each worker of the process model would carry it.
NAMES = frozenset(("protocol", "server", "three_chat_rooms", "tui"))


class OwnFinder:
    """Finds our packages in our folder, and nothing else. For `sys.meta_path`."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None, /) -> ModuleSpec | None:
        """Where the package is; None for a module that is not ours."""
        return PathFinder.find_spec(name, [FOLDER], target) if name in NAMES else None


def claim_names() -> None:
    """Have our packages imported from our folder, whatever else has their names. Harmless to do twice."""
    if OwnFinder not in sys.meta_path:
        sys.meta_path.insert(0, OwnFinder)


def command_line(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of ours in another process."""
    # -P: modules in the folder that it is started in are not ours.
    return [sys.executable, "-P", __file__, module, *arguments]


def chat_server() -> None:
    """The console script `chat-server`."""
    import signal

    # First of all: a SIGHUP ends a process that does not handle it. Before this line only Python itself has started.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        claim_names()
        from server.__main__ import main
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    main()


def chat_tui() -> None:
    """The console script `chat-tui`."""
    try:
        claim_names()
        from tui.__main__ import main
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    main()


def chat_crowd() -> None:
    """The console script `chat-crowd`."""
    try:
        claim_names()
        from tui.crowd.__main__ import main
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    main()


if __name__ == "__main__":
    import runpy

    claim_names()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
