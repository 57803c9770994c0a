import asyncio
import socket

import psutil
import pytest

from tui.address import Address
from tui.hosting import invitation
from tui.hosting.invitation import Invitation, SshEntrance, local_name, own_addresses, rank_addresses


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
    assert invitation.link == "http://192.0.2.7:2000"
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


SSH = SshEntrance(2022, "SHA256:x")


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::1", "mymac.local"])
def test_ssh_command_is_exact(host: str) -> None:
    assert Invitation((Address(host),), ssh=SSH).ssh_command == f"ssh -p 2022 you@{host}"
    assert Invitation((Address(host),)).ssh_command == ""


@pytest.mark.parametrize("host", ["192.0.2.7", "127.0.0.1"])
def test_warning_says_truthfully_that_ssh_is_encrypted(host: str) -> None:
    for bound in ((), (Address(host),), (EVERYWHERE,)):
        assert "othing" in Invitation((Address(host),), bound).warning
        with_ssh = Invitation((Address(host),), bound, SSH).warning
        assert "Only ssh is encrypted" in with_ssh
        assert "othing" not in with_ssh


def test_rank_addresses_private_first_and_virtual_last() -> None:
    found = {
        "docker0": ["172.17.0.1"],
        "eth1": ["9.9.9.9"],
        "wlan0": ["192.168.1.5"],
        "tun0": ["100.64.0.9"],
        "lo": ["127.0.0.1"],
    }
    assert rank_addresses(found, found)[:1] == ["192.168.1.5"]
    assert rank_addresses(found, found)[-1] == "172.17.0.1"
    assert "127.0.0.1" not in rank_addresses(found, found)


def test_rank_addresses_omits_inactive_and_local_addresses() -> None:
    found = {"eth0": ["192.168.1.5"], "eth1": ["169.254.3.4", "0.0.0.0"], "lo": ["127.0.0.1"], "eth2": ["10.0.0.1"]}
    assert rank_addresses(found, {"eth0", "eth1", "lo"}) == ["192.168.1.5"]


def test_link_local_addresses_of_ipv6_are_left_out() -> None:
    found = {"eth0": ["fe80::1%eth0", "2001:db8::1", "::1"]}
    assert rank_addresses(found, {"eth0"}) == ["2001:db8::1"]


def test_own_addresses_are_those_of_real_interfaces() -> None:
    known = {one.address for addresses in psutil.net_if_addrs().values() for one in addresses}
    found = own_addresses(socket.AF_INET)
    assert set(found) <= known
    assert not any(host.startswith("127.") for host in found)


def resolving(monkeypatch: pytest.MonkeyPatch, answer: str | Exception) -> None:
    async def getaddrinfo(self: object, host: str, *args: object, **options: object) -> list[object]:
        if isinstance(answer, Exception):
            raise answer
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, 0))]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "gethostname", lambda: "mymac.example.org")


async def test_local_name_is_returned_if_it_leads_here(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "192.168.1.5")
    assert await local_name(["192.168.1.5"]) == "mymac.local"


@pytest.mark.parametrize("answer", ["192.168.1.99", socket.gaierror(), UnicodeError(), TimeoutError()])
async def test_local_name_that_leads_elsewhere_is_not_returned(
    monkeypatch: pytest.MonkeyPatch, answer: str | Exception
) -> None:
    resolving(monkeypatch, answer)
    assert await local_name(["192.168.1.5"]) == ""


async def test_a_name_service_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(self: object, *args: object, **options: object) -> list[object]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(invitation, "NAME_TIMEOUT_S", 0.05)
    assert await local_name(["192.168.1.5"]) == ""
