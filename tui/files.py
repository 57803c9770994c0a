"""Opens files that a user names, and reads the operator's key. Nothing here waits, even if a path is a pipe."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol.files import MAX_KEY_FILE_BYTES, KeyRefused, check_key_file, parse_key


@contextmanager
def open_to_read(path: Path) -> Iterator[int]:
    """A descriptor to read from. The caller checks that it is a regular file. Raises OSError."""
    # O_NONBLOCK: opening a pipe that has no writer does not wait for one (open(2)).
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_at_most(descriptor: int, size: int) -> bytes:
    """The first `size` bytes, or all if there are fewer. Raises OSError."""
    with open(descriptor, "rb", closefd=False) as file:
        return file.read(size)


def read_key_file(path: Path) -> bytes:
    """The key, without white space around it. Raises KeyRefused if the file cannot be read, or if other users may read
    or change it."""
    name = f"operator's key file {path}"
    try:
        with open_to_read(path) as descriptor:
            status = os.fstat(descriptor)
            check_key_file(str(path), status.st_mode, status.st_uid, os.geteuid())
            return parse_key(read_at_most(descriptor, MAX_KEY_FILE_BYTES + 1), name)
    except OSError as error:
        raise KeyRefused(f"the {name} cannot be read: {error.strerror}") from None
