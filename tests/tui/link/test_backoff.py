"""Back-off, and plain words for what the network does."""

import errno
import socket

import pytest

from tui.link.backoff import LONGEST_WAIT, back_off, plain_reason


def test_the_back_off_doubles_to_a_limit_and_jitter_shortens_it_by_up_to_a_half() -> None:
    assert [back_off(attempt, 0) for attempt in range(1, 8)] == [0.5, 1, 2, 4, 8, 15, 15]
    assert back_off(10_000, 0) == LONGEST_WAIT
    assert back_off(3, 1) == 1
    assert back_off(3, 0.5) == 1.5


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)"), "nobody listens there"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 111] x"), "nobody listens there"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "the connection broke"),
        (socket.gaierror(-2, "Name or service not known"), "there is no such host"),
        (OSError(errno.EHOSTUNREACH, "Connect call failed"), "no route to host"),
        (OSError("?"), "the network failed"),
    ],
)
def test_a_failure_is_told_in_plain_words(error: OSError, words: str) -> None:
    if "111" in str(error) and errno.ECONNREFUSED != 111:
        pytest.skip("another system's number")
    assert plain_reason(error) == words
