from server.admission_queue import CONNECTIONS_AT_ONCE, CONNECTIONS_RATE, MAX_DELAYED, AdmissionQueue

FLOODER, OTHER, LOOPBACK = "192.0.2.1", "192.0.2.2", "127.0.0.1"

Queue = AdmissionQueue[tuple[str, int]]


def fill(queue: Queue, group: str, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        queue.add(group, (group, number))


def drained(queue: Queue, group: str, now: float = 0.0) -> None:
    """Have a group take all its tokens."""
    fill(queue, group, CONNECTIONS_AT_ONCE)
    assert len(queue.take(now, CONNECTIONS_AT_ONCE)) == CONNECTIONS_AT_ONCE


def test_take_within_a_group_is_first_come_first_served() -> None:
    queue = Queue(4096)
    fill(queue, OTHER, 5)
    assert queue.take(0.0, 3) == [(OTHER, 0), (OTHER, 1), (OTHER, 2)]
    assert queue.take(0.0, 3) == [(OTHER, 3), (OTHER, 4)]
    assert queue.take(0.0, 3) == []


def test_take_goes_round_the_groups() -> None:
    queue = Queue(4096)
    fill(queue, FLOODER, 900)
    assert len(queue.take(0.0, 16)) == 16
    fill(queue, OTHER, 2)
    assert [group for group, _ in queue.take(0.0, 4)].count(OTHER) == 2


def test_a_turn_is_remembered_between_passes() -> None:
    """With one place a pass, each group is served once before one is served twice."""
    queue = Queue(4096)
    groups = [f"192.0.2.{number}" for number in range(1, 6)]
    for group in groups:
        fill(queue, group, 3)
    assert sorted(queue.take(0.0, 1)[0][0] for _ in groups) == groups


def test_loopback_has_half_of_each_pass_for_itself() -> None:
    queue = Queue(4096)
    for number in range(200):
        fill(queue, f"198.51.100.{number}", 5)
    fill(queue, LOOPBACK, 20)
    assert [group for group, _ in queue.take(0.0, 16)].count(LOOPBACK) >= 8


def test_above_its_rate_a_group_waits_and_others_do_not() -> None:
    queue = Queue(4096)
    drained(queue, FLOODER)
    fill(queue, FLOODER, 100)
    fill(queue, OTHER, 1)
    assert queue.take(0.0, 16) == [(OTHER, 0)]
    assert queue.admissible(0.0) == 0
    assert len(queue.delayed(0.0)) == 100
    assert len(queue.take(1.0, 1000)) == CONNECTIONS_RATE


def test_returning_members_are_before_newcomers_of_their_group() -> None:
    queue = Queue(4096)
    drained(queue, FLOODER)
    fill(queue, FLOODER, 100)
    queue.promote(FLOODER, (FLOODER, 77))
    assert queue.take(0.0, 16) == [(FLOODER, 77)]
    assert len(queue) == 99


def test_newcomers_that_wait_are_bounded_by_group() -> None:
    queue = Queue(4096)
    drained(queue, FLOODER)
    fill(queue, FLOODER, MAX_DELAYED)
    assert queue.drop_excess(FLOODER, 0.0) == []
    fill(queue, FLOODER, 2, first=MAX_DELAYED)
    assert queue.drop_excess(FLOODER, 0.0) == [(FLOODER, MAX_DELAYED + 1), (FLOODER, MAX_DELAYED)]
    assert len(queue) == MAX_DELAYED
    assert queue.wait(FLOODER, 0.0) > MAX_DELAYED / CONNECTIONS_RATE


def test_excess_newcomers_are_dropped_from_the_largest_group() -> None:
    queue = Queue(10)
    fill(queue, FLOODER, 10)
    fill(queue, OTHER, 1)
    assert queue.drop_excess(OTHER, 0.0) == [(FLOODER, 9)]
    assert (OTHER, 0) in list(queue)


def test_discard_forgets_a_connection_that_has_gone() -> None:
    queue = Queue(10)
    fill(queue, OTHER, 2)
    queue.discard(OTHER, (OTHER, 0))
    queue.discard(OTHER, (OTHER, 0))
    assert queue.take(0.0, 5) == [(OTHER, 1)]
    assert len(queue) == 0
