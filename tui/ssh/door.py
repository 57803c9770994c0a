"""Door: accepts guests by ssh, and lets each into the room as a GuestSession.

There are no passwords and no keys of guests: a guest who asks for the method `none`, as each client does first, is let
in (RFC 4252, section 5.2). Nothing but a session in the room is to be had.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Sequence
from functools import partial

import asyncssh

from protocol.sanitize import sanitize
from tui.ssh.arrivals import Arrivals
from tui.ssh.host_key import fingerprint
from tui.ssh.room_channel import RoomChannel
from tui.ssh.session import GuestSession

SERVER_VERSION = "three-chat-rooms"
LOGIN_TIMEOUT_S = 10.0
"""Seconds until a connection must have a session. Also the seconds it may stay without one afterwards."""
KEEPALIVE_INTERVAL_S, MAX_UNANSWERED_KEEPALIVES = 15, 2
"""A client that does not answer two questions is gone 45 s after it was last heard."""
UNACKNOWLEDGED_TIMEOUT_S = 45
"""Seconds that output may stay unacknowledged by the client's machine (RFC 5482)."""
MAX_SESSIONS = 4
"""Sessions of one connection at a time. Clients that share a connection (ControlMaster) open several."""
WINDOW_BYTES, PACKET_BYTES = 64 * 1024, 16 * 1024
"""The number of bytes that a guest may send before they are read, and the size of a packet."""
CLOSE_TIMEOUT_S = 0.12
"""Seconds that sessions may take to end by themselves, and again once they are told to. The server waits for longer."""
NOTHING_FORWARDED = "this is a chat room: nothing is forwarded"
TOO_MANY = "many connections are logging in: try again in a moment"

NO_SESSION = f"there was no session for {LOGIN_TIMEOUT_S:g} s: ssh without -N begins one"

log = logging.getLogger(__name__)


class Door:
    """The door of one room, from `open` to `close`."""

    def __init__(self, channel: RoomChannel, key: asyncssh.SSHKey) -> None:
        self.channel = channel
        self.arrivals = Arrivals()
        self.sessions: set[GuestSession] = set()
        self._empty = asyncio.Event()
        """Set once the last session has ended."""
        self._key = key
        self._acceptors: list[asyncssh.SSHAcceptor] = []

    async def serve(self, sockets: Sequence[socket.socket], lifeline: int) -> None:
        """Accept guests from these listening sockets until the end of `lifeline`, a descriptor to read from."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        os.set_blocking(lifeline, False)

        def read() -> None:
            if not os.read(lifeline, 64):
                loop.remove_reader(lifeline)
                ended.set()

        loop.add_reader(lifeline, read)
        await self.open(sockets)
        self.channel.tell_ready(fingerprint(self._key))
        await ended.wait()
        await self.close()

    async def open(self, sockets: Sequence[socket.socket]) -> None:
        """Accept guests from these listening sockets."""
        for sock in sockets:
            self._acceptors.append(
                await asyncssh.listen(
                    sock=sock,
                    server_factory=partial(Guard, self),
                    server_host_keys=[self._key],
                    server_version=SERVER_VERSION,
                    login_timeout=LOGIN_TIMEOUT_S,
                    keepalive_interval=KEEPALIVE_INTERVAL_S,
                    keepalive_count_max=MAX_UNANSWERED_KEEPALIVES,
                    line_editor=False,  # GuestSession has its own.
                    compression_algs=None,
                    gss_host=None,
                    public_key_auth=False,
                    password_auth=False,
                    kbdint_auth=False,
                    host_based_auth=False,
                    allow_scp=False,
                    agent_forwarding=False,
                    x11_forwarding=False,
                )
            )

    async def close(self) -> None:
        """End all sessions: the room is closed, or the server is gone."""
        for acceptor in self._acceptors:
            acceptor.close()
        await self._wait_until_empty()  # The sessions end by themselves after the goodbye of the room.
        for session in self.sessions:
            session.close()
        await self._wait_until_empty()

    async def _wait_until_empty(self) -> None:
        self._empty.clear()
        if self.sessions:
            await asyncio.wait([asyncio.create_task(self._empty.wait())], timeout=CLOSE_TIMEOUT_S)

    def begin(self, session: GuestSession) -> None:
        """A session has begun."""
        self.sessions.add(session)

    def end(self, session: GuestSession) -> None:
        """A session has ended."""
        self.sessions.discard(session)
        if not self.sessions:
            self._empty.set()


class Guard(asyncssh.SSHServer):
    """One connection of a client: its login and its sessions."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._arriving = False
        """Whether it is counted among the arrivals."""
        self._sessions: set[GuestSession] = set()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._host = str(conn.get_extra_info("peername", ("",))[0])
        self._loop = asyncio.get_running_loop()
        self._arriving = self._door.arrivals.try_begin(self._host)
        if self._arriving:
            limit_silence(conn)
            self._timer = self._loop.call_later(LOGIN_TIMEOUT_S, self._disconnect_idle)
        else:
            # After the version, which asyncssh sends next: clients show the reason of a disconnect from then on.
            self._loop.call_soon(conn.disconnect, asyncssh.DISC_TOO_MANY_CONNECTIONS, TOO_MANY)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_arriving()

    def begin_auth(self, username: str) -> bool:
        self._username = username
        return False

    def session_requested(self) -> tuple["asyncssh.SSHServerChannel[str]", GuestSession]:
        if len(self._sessions) >= MAX_SESSIONS:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, f"at most {MAX_SESSIONS} sessions")
        connect = partial(self._door.channel.connect, self._host)
        session = GuestSession(self._username, connect, self._unsent, self._on_begin, self._on_end)
        self._sessions.add(session)  # From now on: a client can open sessions and never begin them.
        channel = self._connection.create_server_channel("utf-8", "replace", WINDOW_BYTES, PACKET_BYTES)
        # asyncssh would keep all variables that the client sends, without a limit. It looks the method up by this name.
        channel._process_env_request = lambda packet: False  # type: ignore[method-assign]
        return channel, session

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, NOTHING_FORWARDED)

    def unix_connection_requested(self, dest_path: str) -> bool:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, NOTHING_FORWARDED)

    def _on_begin(self, session: GuestSession) -> None:
        self._stop_arriving()
        self._door.begin(session)
        log.info("%s has come by ssh from %s", sanitize(repr(self._username)), self._host)

    def _on_end(self, session: GuestSession) -> None:
        self._door.end(session)
        self._sessions.discard(session)
        if not self._sessions and self._timer is None:
            # A client leaves by itself after its last session. One that stays may open another.
            self._timer = self._loop.call_later(LOGIN_TIMEOUT_S, self._disconnect_idle)

    def _disconnect_idle(self) -> None:
        self._connection.disconnect(asyncssh.DISC_CONNECTION_LOST, NO_SESSION)

    def _stop_arriving(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._arriving:
            self._arriving = False
            self._door.arrivals.end(self._host)

    def _unsent(self) -> int:
        """The bytes in the buffer of the transport. asyncssh writes there without a limit, as far as the window of the
        client reaches, which the client chooses."""
        transport = self._connection._transport
        return transport.get_write_buffer_size() if isinstance(transport, asyncio.WriteTransport) else 0


def limit_silence(connection: asyncssh.SSHServerConnection) -> None:
    """Have TCP end the connection if the client's machine acknowledges nothing any more."""
    sock = connection.get_extra_info("socket")
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_TIMEOUT_S * 1000)
