"""The entry points of the commands. They make each process import the packages of this project.

Other files can have the names of the packages: a `server.py` on PYTHONPATH, or in the folder in which `python -m tui`
is run, would be imported instead. So each process first installs a finder that looks beside this file.
`python -P three_chat_rooms.py MODULE ARGS…` does so, and then runs `python -m MODULE ARGS…`.
"""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

EXIT_FAILURE, EXIT_USAGE, EXIT_UNREACHABLE, EXIT_INTERRUPTED = 1, 2, 69, 130
"""The exit codes of all commands: a failure at run time; bad usage or configuration; no room could be reached
(EX_UNAVAILABLE of sysexits.h); Ctrl-C."""
EXIT_CONFIGURATION = 78
"""A program that the server starts cannot work with its configuration, so it is not started again (EX_CONFIG)."""
FOLDER = __file__.rpartition("/")[0]  # Without pathlib, which would take memory in each worker.
NAMES = frozenset(("protocol", "server", "three_chat_rooms", "tui"))


class OwnFinder:
    """Finds the packages of this project beside this file, and no others. For `sys.meta_path`."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None, /) -> ModuleSpec | None:
        """The spec of a package of this project; None for other modules."""
        return PathFinder.find_spec(name, [FOLDER], target) if name in NAMES else None


def raise_file_limit() -> None:
    """Raise the limit on open files to the hard limit. A connection takes at least one."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):
            pass  # macOS says "unlimited" and means less.


def claim_names() -> None:
    """Install the finder, unless it is installed already."""
    if OwnFinder not in sys.meta_path:
        sys.meta_path.insert(0, OwnFinder)


def command_line(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this project in another process."""
    # -P: do not import modules from the current folder.
    return [sys.executable, "-P", __file__, module, *arguments]


def chat_server() -> None:
    """The console script `chat-server`."""
    import signal

    # First of all: a SIGHUP ends a process that does not handle it. Before this line only Python itself has started.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _run("server.__main__")


def chat_tui() -> None:
    """The console script `chat-tui`."""
    _run("tui.__main__")


def chat_crowd() -> None:
    """The console script `chat-crowd`."""
    _run("tui.crowd.__main__")


def _run(module: str) -> None:
    """Import a module and call its `main`. Ctrl-C during the imports ends the process without a traceback."""
    try:
        claim_names()
        main: Callable[[], None] = import_module(module).main
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    main()


if __name__ == "__main__":
    import runpy

    claim_names()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
