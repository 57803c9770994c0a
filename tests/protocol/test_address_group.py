"""The groups of addresses."""

import pytest

from protocol.address_group import address_group


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:c000:207", "192.0.2.7"),
        ("2001:db8:0:7::1", "2001:db8:0:7::/64"),
        ("2001:db8:0:7:ffff:ffff:ffff:ffff", "2001:db8:0:7::/64"),
        ("2001:DB8::7:0:0:0:1%eth0", "2001:db8:0:7::/64"),
        ("fd00:1::3", "fd00:1::/64"),
        ("::1", "::1"),
        ("fe80::1%eth-0", "fe80::1"),
        ("fe80::2%eth-0", "fe80::2"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_address_group_of_a_host(host: str, group: str) -> None:
    assert address_group(host) == group


def test_neighbouring_networks_are_two_groups() -> None:
    assert address_group("2001:db8:0:7::1") != address_group("2001:db8:0:8::1")
