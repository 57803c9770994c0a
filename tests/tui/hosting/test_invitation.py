import pytest

from tui.address import Address
from tui.hosting.invitation import Invitation


@pytest.mark.parametrize(
    ("address", "commands"),
    [
        ("192.0.2.7", ("nc 192.0.2.7 2000", "telnet 192.0.2.7 2000", "chat-tui 192.0.2.7")),
        ("192.0.2.7:2001", ("nc 192.0.2.7 2001", "telnet 192.0.2.7 2001", "chat-tui 192.0.2.7:2001")),
        ("mymac.local:2000", ("nc mymac.local 2000", "telnet mymac.local 2000", "chat-tui mymac.local")),
        ("2001:db8::1", ("nc 2001:db8::1 2000", "telnet 2001:db8::1 2000", "chat-tui 2001:db8::1")),
        ("[2001:db8::1]:99", ("nc 2001:db8::1 99", "telnet 2001:db8::1 99", "chat-tui [2001:db8::1]:99")),
    ],
)
def test_the_commands_are_exact_and_chat_tui_takes_its_own(address: str, commands: tuple[str, str, str]) -> None:
    invitation = Invitation((Address.parse(address),))
    assert invitation.commands() == commands
    assert Address.parse(commands[2].removeprefix("chat-tui ")) == invitation.best


def test_the_code_holds_a_link_to_the_best_address() -> None:
    invitation = Invitation((Address("192.0.2.7"), Address("198.51.100.3")))
    assert invitation.link == "telnet://192.0.2.7:2000"
    assert invitation.others == (Address("198.51.100.3"),)


EVERYWHERE, V6_EVERYWHERE = Address("0.0.0.0", 2000), Address("::", 2000)
LOOPBACK = ("127.0.0.1", "127.1.2.3", "::1", "localhost")


@pytest.mark.parametrize("bound", [(), (EVERYWHERE,), (Address("127.0.0.1"), Address("192.0.2.7"))])
def test_a_room_on_the_network_is_warned_of(bound: tuple[Address, ...]) -> None:
    assert "everybody on the network can join" in Invitation((Address("192.0.2.7"),), bound).warning


@pytest.mark.parametrize("host", LOOPBACK)
def test_warning_on_loopback_tells_host_how_to_open_the_room(host: str) -> None:
    warning = Invitation((Address(host),), (Address(host),)).warning
    assert "Only this machine reaches it: --bind 0.0.0.0:2000 opens it" in warning
    assert "encrypted" in warning


@pytest.mark.parametrize("bound", [(EVERYWHERE,), (V6_EVERYWHERE,), (Address("127.0.0.1", 2001), EVERYWHERE)])
def test_warning_open_room_without_network_says_so(bound: tuple[Address, ...]) -> None:
    warning = Invitation((Address("127.0.0.1"),), bound).warning
    assert "This machine has no network" in warning
    assert "--bind" not in warning
    assert "encrypted" in warning


@pytest.mark.parametrize("host", LOOPBACK)
def test_warning_for_guest_omits_host_advice(host: str) -> None:
    warning = Invitation((Address(host),)).warning
    assert "This address leads here from this machine only" in warning
    assert "--bind" not in warning
    assert "encrypted" in warning


@pytest.mark.parametrize("host", ["localhost.example.org", "::1:2", "127.example.org"])
def test_a_name_that_only_looks_like_this_machine_is_another(host: str) -> None:
    assert "everybody on the network can join" in Invitation((Address(host),)).warning
