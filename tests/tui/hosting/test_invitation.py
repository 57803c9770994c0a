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


def test_a_room_on_the_network_is_warned_of_and_one_on_this_machine_says_so() -> None:
    assert "everybody on the network can join" in Invitation((Address("192.0.2.7"),)).warning
    for host in ("127.0.0.1", "::1", "localhost"):
        warning = Invitation((Address(host),)).warning
        assert "Only this machine" in warning
        assert "encrypted" in warning
