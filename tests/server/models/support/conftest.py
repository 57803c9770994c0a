"""A connection for the tests of the support modules."""

import time
from collections.abc import Iterator

import pytest

from tests.server.sessions import Pair


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    made.connection.session.join_by = time.monotonic() + 60
    yield made
    made.close()
