"""Addresses in the forms that people write."""

import pytest

from tui.address import Address, AddressRefused


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("room.example", "room.example", 2000),
        ("room.example:2001", "room.example", 2001),
        ("192.0.2.7", "192.0.2.7", 2000),
        (" 192.0.2.7:1 ", "192.0.2.7", 1),
        ("[2001:db8::7]:65535", "2001:db8::7", 65535),
        ("[::1]", "::1", 2000),
        ("::1", "::1", 2000),
        ("[fe80::1%eth0]:2000", "fe80::1%eth0", 2000),
        ("räume.example", "räume.example", 2000),
    ],
)
def test_parse_accepts_each_form_of_an_address(written: str, host: str, port: int) -> None:
    address = Address.parse(written)
    assert (address.host, address.port) == (host, port)
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    "written",
    [
        "", ":2000", "room:", "room:0", "room:65536", "room:http", "room:-1", "room:+20", "room:２０００",
        "room:99999999999", "[::1", "[::1]2000", "[::1]:", "[room]:2000", "[]:2000", "::1]:2", "two words", "a/b",
        "user@room", "room\x1b[2J", "ftp://room.example", "x" * 300,
    ],
)  # fmt: skip
def test_parse_refuses_an_invalid_address_in_a_sentence(written: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        Address.parse(written)
    assert str(refused.value).isprintable()


def test_another_default_port_can_be_given() -> None:
    assert Address.parse("room", 2342).port == 2342


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert str(Address("::1", 2001)) == "[::1]:2001"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("telnet://192.0.2.7:2001", Address("192.0.2.7", 2001)),
        ("http://192.0.2.7:2001/", Address("192.0.2.7", 2001)),
        ("TELNET://room.example/", Address("room.example", 2000)),
        ("telnet://[::1]:2001", Address("::1", 2001)),
    ],
)
def test_address_with_a_scheme_is_the_address_without(written: str, address: Address) -> None:
    assert Address.parse(written) == address


def test_address_with_a_port_of_its_own_is_as_nc_takes_it() -> None:
    assert Address.parse_with_port("192.0.2.7", "2001") == Address("192.0.2.7", 2001)
    assert Address.parse_with_port("::1", "2001") == Address("::1", 2001)
    for written, port in (("192.0.2.7:2000", "2001"), ("192.0.2.7", "many")):
        with pytest.raises(AddressRefused):
            Address.parse_with_port(written, port)


@pytest.mark.parametrize(
    ("bound", "joined"),
    [
        ("0.0.0.0:2001", "127.0.0.1:2001"),
        ("[::]:2001", "[::1]:2001"),
        ("192.0.2.7:1", "192.0.2.7:1"),
        ("here", "here:2000"),
    ],
)
def test_from_here_leads_to_a_server_on_all_interfaces(bound: str, joined: str) -> None:
    address = Address.parse(bound)
    assert str(address.from_here()) == joined
    assert address.is_everywhere == (str(address) != joined)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.9", True), ("::1", True), ("localhost", True), ("192.0.2.7", False), ("room.example", False)],
)
def test_is_loopback_is_true_for_this_machine_only(host: str, expected: bool) -> None:
    assert Address(host).is_loopback == expected
