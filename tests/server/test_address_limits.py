"""The limits of each group of addresses."""

from server.address_limits import MAX_GROUPS, AddressLimits


def consume_all(limits: AddressLimits, group: str, now: float) -> int:
    count = 0
    while limits.try_consume(group, now):
        count += 1
    return count


def test_each_group_has_tokens_of_its_own() -> None:
    limits = AddressLimits(5, 2.0)
    assert consume_all(limits, "192.0.2.1", 0.0) == 5
    assert limits.available("192.0.2.2", 0.0) == 5
    assert consume_all(limits, "192.0.2.2", 0.0) == 5
    assert consume_all(limits, "192.0.2.1", 1.0) == 2


def test_wait_tells_when_the_next_token_comes() -> None:
    limits = AddressLimits(5, 2.0)
    assert limits.wait("192.0.2.1", 0.0) == 0
    consume_all(limits, "192.0.2.1", 0.0)
    assert limits.wait("192.0.2.1", 0.0) == 0.5
    assert limits.wait("192.0.2.1", 0.5) == 0


def test_loopback_may_take_more_by_the_factor() -> None:
    limits = AddressLimits(5, 2.0, loopback_factor=10)
    assert consume_all(limits, "127.0.0.1", 0.0) == consume_all(limits, "::1", 0.0) == 50
    assert consume_all(limits, "127.0.0.2", 0.0) == 5


def test_a_rate_of_0_is_no_limit() -> None:
    limits = AddressLimits(1, 0.0)
    assert all(limits.try_consume("192.0.2.1", 0.0) for _ in range(100))


def test_a_clock_set_back_stops_no_group() -> None:
    limits = AddressLimits(1, 1.0)
    assert limits.try_consume("192.0.2.1", 1e9)
    assert not limits.try_consume("192.0.2.1", 100.0)
    assert limits.try_consume("192.0.2.1", 101.0)


def test_many_groups_are_bounded_and_full_buckets_go_first() -> None:
    limits = AddressLimits(2, 1.0)
    limits.try_consume("idle", 0.0)
    for number in range(MAX_GROUPS - 1):
        limits.try_consume(f"busy{number}", 10.0)
    limits.try_consume("one more", 10.0)
    assert len(limits) == MAX_GROUPS
    assert limits.available("busy0", 10.0) == 1
    for number in range(3 * MAX_GROUPS):
        limits.try_consume(f"flood{number}", 10.0)
    assert len(limits) <= MAX_GROUPS
