from tui.ssh.arrivals import MAX_ARRIVALS, MAX_ARRIVALS_EACH, Arrivals


def fill(arrivals: Arrivals, *hosts: str) -> list[bool]:
    return [arrivals.try_begin(host) for host in hosts]


def test_an_address_has_three_arrivals_at_a_time() -> None:
    arrivals = Arrivals()
    assert fill(arrivals, *["192.0.2.7"] * 4) == [True] * MAX_ARRIVALS_EACH + [False]
    assert arrivals.try_begin("192.0.2.8")
    arrivals.end("192.0.2.7")
    assert fill(arrivals, *["192.0.2.7"] * 2) == [True, False]


def test_all_addresses_together_have_twenty() -> None:
    arrivals = Arrivals()
    assert fill(arrivals, *[f"192.0.2.{number}" for number in range(21)]) == [True] * MAX_ARRIVALS + [False]
    arrivals.end("192.0.2.0")
    assert fill(arrivals, "198.51.100.1", "198.51.100.2") == [True, False]


def test_an_ipv6_network_is_one_address() -> None:
    arrivals = Arrivals()
    assert fill(arrivals, *[f"2001:db8:0:1::{number}" for number in range(1, 5)]) == [True, True, True, False]
    assert arrivals.try_begin("2001:db8:0:2::1")


def test_mapped_and_link_local_addresses_are_hosts() -> None:
    arrivals = Arrivals()
    assert fill(arrivals, "192.0.2.7", "192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.7") == [True] * 3 + [False]
    assert fill(arrivals, *["fe80::1%eth0"] * 3, "fe80::2%eth0", "fe80::1%eth0") == [True] * 4 + [False]


def test_nothing_is_kept_of_arrivals_that_have_ended() -> None:
    arrivals = Arrivals()
    for number in range(1000):
        arrivals.try_begin(f"198.51.{number // 256}.{number % 256}")
        arrivals.end(f"198.51.{number // 256}.{number % 256}")
    assert len(arrivals) == len(arrivals._counts) == 0
