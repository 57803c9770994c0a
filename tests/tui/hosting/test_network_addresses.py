import asyncio
import socket

import psutil
import pytest

from tui.hosting import network_addresses
from tui.hosting.network_addresses import local_name, own_addresses, rank_addresses


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


async def test_the_local_name_is_told_where_it_leads_here(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "192.168.1.5")
    assert await local_name(["192.168.1.5"]) == "mymac.local"


@pytest.mark.parametrize("answer", ["192.168.1.99", socket.gaierror(), UnicodeError(), TimeoutError()])
async def test_a_name_that_leads_elsewhere_or_nowhere_is_not_told(
    monkeypatch: pytest.MonkeyPatch, answer: str | Exception
) -> None:
    resolving(monkeypatch, answer)
    assert await local_name(["192.168.1.5"]) == ""


async def test_a_name_service_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(self: object, *args: object, **options: object) -> list[object]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(network_addresses, "NAME_TIMEOUT_S", 0.05)
    assert await local_name(["192.168.1.5"]) == ""
