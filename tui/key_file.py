"""Reads the operator's key from a file."""

import os
from pathlib import Path

from protocol.operator_key import MAX_KEY_FILE_BYTES, KeyRefused, check_key_file, parse_key


def read_key_file(path: Path) -> bytes:
    """The key, without white space around it. Does not block, even if the path is a pipe. Raises KeyRefused if the file
    cannot be read, or if other users may read or change it."""
    name = f"operator's key file {path}"
    try:
        # O_NONBLOCK: opening a pipe that has no writer does not wait for one (open(2)).
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            check_key_file(str(path), status.st_mode, status.st_uid, os.geteuid())
            with open(descriptor, "rb", closefd=False) as file:
                return parse_key(file.read(MAX_KEY_FILE_BYTES + 1), name)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise KeyRefused(f"the {name} cannot be read: {error.strerror}") from None
