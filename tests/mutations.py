"""Small mistakes in the product, one at a time, to prove that the tests notice each of them.

    make mutants                          all of them
    make mutants ARGS="lines session"     only files with one of these words in their name
    make mutants ARGS="--near"            without the tests that start servers, which take minutes for each survivor
    make mutants ARGS="--list"            only list them

Each mutation is applied to a copy of the checkout, and the tests that are near the changed code run there. Mistakes in
a running server, for the checker, are in tests/checker/mutants.py.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from tests.mutation_list import MUTATIONS, Mutation

ROOT = Path(__file__).parent.parent
SESSION_TESTS = (
    "tests/server/test_token_bucket.py",
    "tests/server/test_session.py",
    "tests/server/test_session_limits.py",
    "tests/server/test_session_any_bytes.py",
    "tests/server/test_session_web.py",
    "tests/server/test_connection.py",
)
NEAR_TESTS = {
    "protocol": ("tests/protocol", "tests/server/room", *SESSION_TESTS),
    "server/room": ("tests/server/room", "tests/server/test_connection.py", "tests/protocol"),
    "server": (*SESSION_TESTS, "tests/server/room"),
    "tui/ssh": ("tests/tui/ssh/test_guests.py", "tests/tui/ssh/test_hostile_guests.py"),
    "tui": (),
}
"""For the folder of the changed file: its tests without processes."""
FAR_TESTS = ("tests/server/models", "tests/server/test_handover.py")
"""The tests with real servers, for mutations that the near tests do not catch."""
TIMEOUT_S = 1800
"""The limit for the tests. A mutation that makes them hang counts as caught."""


class Result(NamedTuple):
    """The outcome of a mutation: `caught_by` is the first test that failed, or empty."""

    mutation: Mutation
    caught_by: str
    seconds: float


def main() -> int:
    """Return the exit code: 1 if a mutation was not caught, 2 if one cannot be applied."""
    parser = argparse.ArgumentParser(prog="make mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", help="only files with one of these words in their name")
    parser.add_argument("--list", action="store_true", help="list them, and run nothing")
    parser.add_argument("--near", action="store_true", help="without the tests that start servers")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time")
    options = parser.parse_args()
    chosen = [one for one in MUTATIONS if any(word in one.file for word in options.words) or not options.words]
    if wrong := [one for one in MUTATIONS if (ROOT / one.file).read_text().count(one.old) != 1]:
        for one in wrong:
            print(f"{one.file}: this text does not stand there once: {one.old!r}", file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(map(str, chosen)))
        return 0
    if failed := outcome(None, NEAR_TESTS["protocol"]):  # All of the near ones.
        print(f"without a mutation: {failed}", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(report(pool.map(lambda one: attempt(one, () if options.near else FAR_TESTS), chosen)))
    survivors = [result for result in results if not result.caught_by]
    print(f"{len(results) - len(survivors)} of {len(results)} were caught")
    return 1 if survivors else 0


def report(results: Iterable[Result]) -> Iterator[Result]:
    """Print each result as it arrives."""
    for result in results:
        print(f"{result.caught_by or 'NOT CAUGHT':70} {result.seconds:5.0f} s  {result.mutation}", flush=True)
        yield result


def attempt(mutation: Mutation, far: Sequence[str]) -> Result:
    """Apply a mutation, and run the near tests, then the far ones."""
    began = monotonic()
    own, others = tests_near(mutation.file)
    caught_by = outcome(mutation, own) or outcome(mutation, others) or outcome(mutation, far)
    return Result(mutation, caught_by, monotonic() - began)


def tests_near(file: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the tests of the module, and those of its folder and of the modules that use it."""
    path = Path(file)
    own = sorted((ROOT / "tests" / path.parent).glob(f"test_{path.stem}*.py"))
    others = next(tests for folder, tests in NEAR_TESTS.items() if file.startswith(folder))
    return [str(one.relative_to(ROOT)) for one in own], others


def outcome(mutation: Mutation | None, tests: Sequence[str]) -> str:
    """Return the first test that fails with this mutation, or empty if all pass or there are none."""
    if not tests:
        return ""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not alone", *tests]
    with copy_of_the_checkout() as folder:
        if mutation is not None:
            file = folder / mutation.file
            file.write_text(file.read_text().replace(mutation.old, mutation.new))
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return "the tests hung"
    if done.returncode == 0:
        return ""
    failures = [
        line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("FAILED tests", "ERROR tests"))
    ]
    return failures[0] if failures else f"pytest ended with {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}"


@contextmanager
def copy_of_the_checkout() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mutant") as name:
        folder = Path(name)
        for part in ("protocol", "server", "tui", "tests"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "__snapshots__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        yield folder


if __name__ == "__main__":
    sys.exit(main())
