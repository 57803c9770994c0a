"""The room of a host: a real server that runs as a child process and ends with its host."""

import asyncio
import hmac
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from protocol.messages import Close, Model, ModelSwitched, OperatorGranted, Switch
from tests.running import MISSING, PATIENCE, PlainPeer, RichPeer, has_ended, wait_until
from tests.tui.conftest import Join
from tests.tui.links import until
from tui.address import Address
from tui.hosting import hosted_server as hosting
from tui.hosting import server_process
from tui.hosting.hosted_server import CannotHost, HostedServer, HostOptions
from tui.hosting.invitation import SshEntrance
from tui.hosting.server_process import LogFile

Host = Callable[..., HostedServer]
LOCAL = "127.0.0.1:0"
each_model = pytest.mark.parametrize("model", list(Model))

HOLDS_A_ROOM = """
import asyncio, sys
from tui.hosting.hosted_server import HostedServer, HostOptions

async def main():
    server = HostedServer(HostOptions(model=sys.argv[1], bind=("127.0.0.1:0",)))
    print(await server.start(), server.pid, flush=True)
    await server.wait()

asyncio.run(main())
"""

FAILS = """
import server.handover
def fail(*args):
    raise KeyError("a bug of ours")
server.handover.serve = fail
"""


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    servers: list[HostedServer] = []

    def host(model: str = "event", bind: str | None = LOCAL, *options: str) -> HostedServer:
        servers.append(HostedServer(HostOptions(model, (bind,) if bind else (), options)))
        return servers[-1]

    yield host
    for server in servers:
        await server.stop()


def group_of(pid: int) -> list[psutil.Process]:
    """The processes of the server and its descendants."""
    server = psutil.Process(pid)
    return [server, *server.children(recursive=True)]


def all_gone(processes: list[psutil.Process]) -> bool:
    return all(has_ended(process) for process in processes)


@each_model
async def test_hosted_room_is_joined_and_ends_with_goodbye(host: Host, model: Model) -> None:
    server = host(model)
    address = await server.start()
    assert (address,) == server.bound
    bob = PlainPeer((address.host, address.port))
    await asyncio.to_thread(bob.join, "bob")
    processes = group_of(server.pid)
    await server.stop()
    assert await server.wait() == 0
    assert any(line.startswith("*** goodbye") for line in bob.lines_until_closed())
    bob.close()
    assert all_gone(processes)


async def test_it_stands_apart_from_the_terminal_of_its_host(host: Host) -> None:
    server = host()
    await server.start()
    assert os.getsid(server.pid) != os.getsid(0)
    assert os.getpgid(server.pid) != os.getpgid(0)


@each_model
async def test_the_host_alone_has_the_key(host: Host, join: Join, model: Model) -> None:
    server = host(model)
    ada = join(await server.start(), "ada")
    ada.link.operator(server.operator_key)
    await until(lambda: any(isinstance(event, OperatorGranted) for event in ada.events), "the proof is taken")
    other = next(one for one in Model if one != model)
    ada.link.send_command(Switch(other))
    await until(lambda: any(isinstance(event, ModelSwitched) for event in ada.events), "the switch")
    key = server.operator_key.decode()
    for process in psutil.Process().children(recursive=True):
        assert key not in " ".join(process.cmdline())
        assert key not in str(process.environ())
    assert HostedServer().operator_key != server.operator_key


@each_model
async def test_the_room_ends_with_a_host_that_is_killed(model: Model) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDS_A_ROOM, model, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        address, pid = (await holder.stdout.readline()).decode().split()
        room = Address.parse(address)
        bob = PlainPeer((room.host, room.port))
        await asyncio.to_thread(bob.join, "bob")
        processes = [*psutil.Process(holder.pid).children(recursive=True), *group_of(int(pid))]
        holder.kill()
        assert any(line.startswith("*** goodbye") for line in await asyncio.to_thread(bob.lines_until_closed))
        bob.close()
        await until(lambda: all_gone(processes), "the guardian, the server and its workers are gone")
    finally:
        if holder.returncode is None:
            holder.kill()
        await holder.wait()


@each_model
async def test_hosted_server_restarts_at_the_same_address(host: Host, model: Model) -> None:
    server = host(model)
    address = await server.start()
    bob = PlainPeer((address.host, address.port))
    await asyncio.to_thread(bob.join, "bob")
    processes = group_of(server.pid)
    os.kill(server.pid, signal.SIGKILL)
    assert await asyncio.wait_for(server.wait(), PATIENCE) == 128 + signal.SIGKILL
    await until(lambda: all_gone(processes), "its workers are gone too")
    bob.close()
    assert await server.start() == address
    assert server.pid != processes[0].pid


async def test_a_server_that_does_not_end_is_killed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_process, "STOP_TIMEOUT_S", 0.5)
    server = host()
    await server.start()
    frozen = psutil.Process(server.pid)
    frozen.suspend()
    await server.stop()
    assert all_gone([frozen])


@pytest.mark.parametrize(
    ("options", "code"),
    [(("--history", "many"), 2), (("--motd", MISSING), 2), (("--no-such-option",), 2), (("--bind", "x:y"), 2)],
)
async def test_hosted_server_invalid_option_has_the_servers_sentence(
    host: Host, options: tuple[str, ...], code: int
) -> None:
    with pytest.raises(CannotHost) as told:
        await host("event", LOCAL, *options).start()
    assert told.value.exit_code == code
    assert not str(told.value).startswith("chat-server")
    assert "Traceback" not in str(told.value)
    assert options[-1] in str(told.value) or options[0] in str(told.value)


async def test_bind_to_an_address_in_use_is_reported(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotHost, match="in use") as told:
            await host("event", f"127.0.0.1:{port}").start()
    assert told.value.exit_code == 1


async def test_where_the_usual_port_is_taken_a_free_one_is_found(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "EVERYWHERE", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(hosting, "DEFAULT_PORT", taken.getsockname()[1])
        address = await host("event", None).start()
    assert address.port != hosting.DEFAULT_PORT


async def test_default_port_is_used_if_it_is_free(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "EVERYWHERE", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setattr(hosting, "DEFAULT_PORT", port)
    assert await host("event", None).start() == Address("127.0.0.1", port)


async def test_an_address_of_one_interface_is_the_invitation(host: Host) -> None:
    server = host()
    assert server.invitations == []
    address = await server.start()
    assert server.invitations == [address]


def test_invitations_on_all_interfaces_are_reachable_addresses() -> None:
    server = HostedServer()
    server.bound = (Address("0.0.0.0", 2345),)
    assert server.invitations
    hosts = {address.host for address in server.invitations}
    here = {one.address for addresses in psutil.net_if_addrs().values() for one in addresses}
    assert hosts <= here
    assert "0.0.0.0" not in hosts
    assert {address.port for address in server.invitations} == {2345}


async def test_hosted_server_bound_twice_listens_on_both_again(host: Host) -> None:
    server = HostedServer(HostOptions(bind=("127.0.0.1:0", "127.0.0.2:0")))
    try:
        assert await server.start() == server.bound[0]
        assert [one.host for one in server.bound] == ["127.0.0.1", "127.0.0.2"]
        bound = server.bound
        await server.stop()
        await server.start()
        assert server.bound == bound
        for address in bound:
            socket.create_connection((address.host, address.port)).close()
    finally:
        await server.stop()


def test_invitations_of_several_addresses_begin_with_the_network() -> None:
    server = HostedServer()
    server.bound = (Address("127.0.0.1", 2000), Address("192.0.2.7", 2001))
    assert server.invitations == [Address("192.0.2.7", 2001), Address("127.0.0.1", 2000)]


def test_given_address_is_the_first_invitation() -> None:
    for given, invited in (("room.example:0", "room.example:2000"), ("192.0.2.9:80", "192.0.2.9:80")):
        host, _, port = given.partition(":")
        server = HostedServer(HostOptions(address=Address(host, int(port))))
        assert server.invitations == []
        server.bound = (Address("127.0.0.1", 2000),)
        assert [str(one) for one in server.invitations] == [invited, "127.0.0.1:2000"]


def test_preferred_address_is_first_and_the_others_follow_in_turn() -> None:
    server = HostedServer()
    server.bound = tuple(Address(f"192.0.2.{number}") for number in range(3))
    for expected in ([1, 2, 0], [2, 0, 1], [0, 1, 2]):
        server.prefer(server.invitations[1])
        assert server.invitations == [Address(f"192.0.2.{number}") for number in expected]
    server.prefer(Address("198.51.100.1"))
    assert server.invitations[0] == Address("192.0.2.0"), "an address that leads nowhere is not preferred"


OWN = {socket.AF_INET: ["192.0.2.7"], socket.AF_INET6: ["fd00::7", "2001:db8::7"]}


@pytest.mark.parametrize(
    ("bound", "hosts"),
    [("0.0.0.0", ["192.0.2.7"]), ("::", ["192.0.2.7", "fd00::7", "2001:db8::7"]), ("::1", ["::1"])],
)
def test_invitations_on_both_families_have_both(monkeypatch: pytest.MonkeyPatch, bound: str, hosts: list[str]) -> None:
    monkeypatch.setattr(hosting, "own_addresses", lambda family: OWN[family])
    server = HostedServer()
    server.bound = (Address(bound, 2345),)
    assert server.invitations == [Address(host, 2345) for host in hosts]


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ([], ""),
        (["2026-11-24 23:13:01.250 WARNING hk (connection 1 from 127.0.0.1) proved the operator's key"], ""),
        (["2026-11-24 23:13:01.250 INFO the event model takes 0 connections over", ""], ""),
        (["2026-11-24 23:13:01.250 ERROR a thread failed", "  Traceback", "  KeyError: 1"], "a thread failed"),
        (["2026-11-24 23:13:01.250 WARNING it grows late", "  Traceback", "  KeyError: 1"], ""),
        (["chat-server: the port is in use"], "the port is in use"),
        (["python: No module named server"], "python: No module named server"),
        (['{"at": 1.5, "level": "warning", "pid": 7, "message": "it grows late"}'], ""),
        (['{"at": 1.5, "level": "error", "pid": 7, "message": "a thread failed"}'], "a thread failed"),
    ],
)
def test_last_error_is_the_last_record_if_it_is_an_error(log: list[str], words: str) -> None:
    assert server_process.last_error(log) == words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "has ended, with exit code 1"),
        (128 + signal.SIGSEGV, "was ended by SIGSEGV"),
        (255, "has ended, with exit code 255"),
    ],
)
def test_an_exit_code_above_128_names_the_signal(code: int, words: str) -> None:
    assert server_process.format_exit(code) == words


class TestTheEnd:
    """The sentence about a room that has ended."""

    async def test_a_room_that_was_closed_is_closed(self, host: Host, join: Join) -> None:
        server = host()
        opened: list[Address] = []
        standing = asyncio.create_task(server.run_until_ended(opened.append))
        await until(lambda: opened, "the room is open")
        ada = join(opened[0], "ada")
        ada.link.operator(server.operator_key)
        await until(lambda: any(isinstance(event, OperatorGranted) for event in ada.events), "the proof is taken")
        ada.link.send_command(Close("thank you all"))
        await standing
        assert server.end_reason == "The room is closed."

    async def test_hosted_server_killed_reports_the_signal(self, host: Host, join: Join) -> None:
        server = host()
        opened: list[Address] = []
        standing = asyncio.create_task(server.run_until_ended(opened.append))
        await until(lambda: opened, "the room is open")
        ada = join(opened[0], "ada")
        ada.link.operator(server.operator_key)
        await until(lambda: server._process.last_log_lines, "something is logged")
        os.kill(server.pid, signal.SIGKILL)
        await standing
        assert server.end_reason == "The room's server was ended by SIGKILL."

    async def test_failed_server_is_reported_with_its_last_error(
        self, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "sitecustomize.py").write_text(FAILS)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
        server = host()
        await server.run_until_ended(lambda address: None)
        assert server.end_reason.startswith(
            "The room's server has ended, with exit code 1: the server has failed because of a bug, "
        )

    async def test_a_room_that_never_opened_says_why(self, host: Host) -> None:
        server = host("event", LOCAL, "--no-such-option")
        await server.run_until_ended(lambda address: None)
        assert server.end_reason.startswith("The room could not be opened: ")
        assert "--no-such-option" in server.end_reason

    async def test_a_room_that_we_end_is_no_news(self, host: Host) -> None:
        server = host()
        opened: list[Address] = []
        standing = asyncio.create_task(server.run_until_ended(opened.append))
        await until(lambda: opened, "the room is open")
        await server.stop()
        await standing
        assert server.end_reason == ""


class TestTheLog:
    async def test_log_file_is_readable_only_by_its_owner(self, tmp_path: Path) -> None:
        path = tmp_path / "server.log"
        for _ in range(2):  # Earlier lines are kept.
            server = HostedServer(HostOptions(bind=(LOCAL,), server_options=("-v",), log=path))
            address = await server.start()
            bob = PlainPeer((address.host, address.port))
            await asyncio.to_thread(bob.join, "bob")
            await server.stop()
            bob.close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text().count("the event model takes 0 connections over") == 2

    @pytest.mark.parametrize("name", ["", "no/such/folder/server.log"])
    def test_log_that_cannot_be_opened_is_reported_at_once(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(CannotHost, match="cannot be opened") as told:
            HostedServer(HostOptions(bind=(LOCAL,), log=tmp_path / name))
        assert "Errno" not in str(told.value)
        assert told.value.exit_code == 2

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full is simulated by /dev/full")
    async def test_log_file_write_error_does_not_end_the_room(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def log_on_a_full_disk(path: Path) -> LogFile:
            log = LogFile(path)
            with Path("/dev/full").open("wb") as full:
                os.dup2(full.fileno(), log._descriptor)
            return log

        monkeypatch.setattr(hosting, "LogFile", log_on_a_full_disk)
        server = HostedServer(HostOptions(bind=(LOCAL,), server_options=("-vv",), log=tmp_path / "server.log"))
        address = await server.start()
        bob = PlainPeer((address.host, address.port))
        await asyncio.to_thread(bob.join, "bob")
        bob.close()
        await server.stop()
        assert await server.wait() == 0

    async def test_log_file_counts_lines_lost_on_a_full_disk(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        full, write = True, os.write

        def on_disk(descriptor: int, data: bytes) -> int:
            if full:
                raise OSError(28, os.strerror(28))
            return write(descriptor, data)

        monkeypatch.setattr(server_process.os, "write", on_disk)
        log = LogFile(tmp_path / "server.log")
        log.add("lost")
        log.add("lost too")
        full = False
        log.add("kept")
        assert (tmp_path / "server.log").read_text() == "2 lines of this log could not be written\nkept\n"


async def test_the_end_of_the_log_is_kept(host: Host) -> None:
    server = host("event", LOCAL, "-vv")
    address = await server.start()
    for _ in range(server_process.MAX_LOG_LINES):
        bob = PlainPeer((address.host, address.port))
        bob.close()
    await until(lambda: server._process.last_log_lines, "something is logged")
    await server.stop()
    await server.wait()
    assert 0 < len(server._process.last_log_lines) <= server_process.MAX_LOG_LINES


async def test_stopping_twice_or_before_a_start_is_harmless(host: Host) -> None:
    server = host()
    await server.stop()
    await server.start()
    await server.stop()
    await server.stop()
    assert await server.wait() == 0


@each_model
def test_chat_tui_killed_while_it_hosts_leaves_no_process_behind(root: Path, model: Model) -> None:
    command = [sys.executable, "-m", "tui", "--host", "--plain", "--bind", LOCAL, "--model", model, "-n", "ada"]
    client = subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert client.stderr is not None
        assert "the room is open" in client.stderr.readline()
        assert "you are in the room" in client.stderr.readline()
        processes = psutil.Process(client.pid).children(recursive=True)
        assert len(processes) >= 2
        client.kill()
        client.wait()
        wait_until(lambda: all_gone(processes), "the guardian, the server and its workers are gone")
    finally:
        client.kill()
        client.wait()
        for stream in (client.stdin, client.stdout, client.stderr):
            if stream is not None:
                stream.close()


@each_model
async def test_hosted_server_that_was_killed_keeps_its_rules(host: Host, model: Model) -> None:
    """A restarted server keeps bans, mutes, the lock and the members; another host's server does not have them."""
    server, other = host(model), host(model)
    address = await server.start()
    elsewhere = await other.start()
    muted = await asyncio.to_thread(_lay_down_rules, server, address)
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    assert await server.start() == address
    await asyncio.to_thread(_find_rules, server, address, muted)
    eve = RichPeer((elsewhere.host, elsewhere.port))
    welcome = await asyncio.to_thread(eve.hello, "eve")
    assert not welcome.get("rules", {}).get("locked")
    eve.close()


def _lay_down_rules(server: HostedServer, address: Address) -> str:
    """Returns the token of the muted member."""
    where = (address.host, address.port)
    boss, ada, bob = RichPeer(where), RichPeer(where), RichPeer(where)
    for peer, nick in ((boss, "boss"), (ada, "ada"), (bob, "bob")):
        peer.hello(nick)
    boss.prove(server.operator_key.decode())
    boss.command("ban", nick="bob", minutes=30)
    boss.command("mute", nick="ada")
    boss.command("pin", text="no spoilers")
    boss.command("lock", on=True)
    boss.expect("rules", text="boss locked the room: nobody new comes in")
    for peer in (boss, ada, bob):
        peer.close()
    token: str = ada.welcome["token"]
    return token


def _find_rules(server: HostedServer, address: Address, muted: str) -> None:
    where = (address.host, address.port)
    boss, ada, bob = RichPeer(where), RichPeer(where), RichPeer(where)
    boss.command("hello", nick="boss", operator=True)
    nonce = boss.expect("challenge", code="locked")["nonce"]
    boss.command("operator", proof=hmac.new(server.operator_key, nonce.encode(), "sha256").hexdigest())
    rules = boss.expect("welcome")["rules"]
    assert (rules["locked"], rules["pin"]) == (True, "no spoilers")
    boss.expect(
        "notice",
        text="the server was started again, and these rules still hold: "
        "the room is locked, the pinned line, 1 ban, 1 mute",
    )
    ada.hello("ada", resume={"token": muted, "after": 0})
    ada.say("psst", "1")
    ada.expect("refused", code="muted")
    bob.command("hello", nick="bob")
    assert bob.expect("goodbye")["code"] == "banned"
    for peer in (boss, ada, bob):
        peer.close()


# Guests by ssh


async def ssh_of(server: HostedServer) -> SshEntrance:
    await until(lambda: server.ssh, "guests can come by ssh")
    assert server.ssh is not None
    return server.ssh


async def test_ssh_is_at_its_usual_port_or_the_next_free_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_port: int
) -> None:
    monkeypatch.setattr(hosting, "FIRST_SSH_PORT", free_port)  # The test holds this one.
    key = ("--ssh-host-key", str(tmp_path / "key"))
    server = HostedServer(HostOptions("event", (LOCAL,), key, ssh_port=hosting.ANY_FREE_PORT))
    try:
        await server.start()
        assert server.ssh is None
        first = await ssh_of(server)
        assert free_port < first.port < free_port + hosting.SSH_PORT_ATTEMPTS
        assert first.fingerprint.startswith("SHA256:")
        assert (tmp_path / "key").exists()
        os.kill(server.pid, signal.SIGKILL)
        await server.wait()
        await server.start()
        assert await ssh_of(server) == first
    finally:
        await server.stop()


async def test_ssh_is_left_out_unless_asked_for(host: Host) -> None:
    server = host()
    await server.start()
    assert [one for one in group_of(server.pid) if "tui.ssh" in one.cmdline()] == []


async def test_door_ends_with_the_hosted_server(tmp_path: Path) -> None:
    key = ("--ssh-host-key", str(tmp_path / "key"))
    server = HostedServer(HostOptions("process", (LOCAL,), key, ssh_port=hosting._first_free(range(20_000, 20_100))))
    await server.start()
    await ssh_of(server)
    processes = group_of(server.pid)
    assert [one for one in processes if "tui.ssh" in one.cmdline()]
    await server.stop()
    assert all_gone(processes)


async def test_ssh_port_in_use_is_reported(free_port: int) -> None:
    server = HostedServer(HostOptions("event", (LOCAL,), ssh_port=free_port))
    with pytest.raises(CannotHost, match=rf"{free_port} is in use already; --ssh"):
        await server.start()
    await server.stop()
