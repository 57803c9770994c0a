"""The message after a link was opened or copied. Many lines that name a member ring the bell a few times, not once a
line."""

from itertools import pairwise

import pytest

from tui.desktop import BURST_RINGS, RING_INTERVAL_S, BellLimit, with_ascii_host


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://example.org/ü", "https://example.org/ü"),
        ("https://аpple.com/", "https://аpple.com/ (xn--pple-43d.com)"),
        ("https://[::1/", "https://[::1/"),
        ("https://ü..x/", "https://ü..x/"),
    ],
)
def test_with_ascii_host_shows_the_ascii_name_of_a_host(url: str, told: str) -> None:
    assert with_ascii_host(url) == told


def test_allows_a_burst_then_one_an_interval() -> None:
    limit = BellLimit()
    rung = [second for second in (tenth / 10 for tenth in range(1000, 1100)) if limit.allows(second)]
    assert len(rung) == BURST_RINGS + 4
    assert rung[:BURST_RINGS] == [100.0, 100.1, 100.2]
    assert min(later - sooner for sooner, later in pairwise(rung[BURST_RINGS:])) >= RING_INTERVAL_S - 0.2


def test_allows_a_burst_again_after_a_silence() -> None:
    limit = BellLimit()
    for _ in range(10):
        limit.allows(5.0)
    assert [limit.allows(60.0) for _ in range(BURST_RINGS + 1)] == [True] * BURST_RINGS + [False]
