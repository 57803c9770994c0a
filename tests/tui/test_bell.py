"""Many lines that name a member ring the bell a few times, not once a line."""

from itertools import pairwise

from tui.bell import BURST, INTERVAL_S, BellLimit


def test_allows_a_burst_then_one_an_interval() -> None:
    limit = BellLimit()
    rung = [second for second in (tenth / 10 for tenth in range(1000, 1100)) if limit.allows(second)]
    assert len(rung) == BURST + 4
    assert rung[:BURST] == [100.0, 100.1, 100.2]
    assert min(later - sooner for sooner, later in pairwise(rung[BURST:])) >= INTERVAL_S - 0.2


def test_allows_a_burst_again_after_a_silence() -> None:
    limit = BellLimit()
    for _ in range(10):
        limit.allows(5.0)
    assert [limit.allows(60.0) for _ in range(BURST + 1)] == [True] * BURST + [False]
