"""Runs line mode: in a terminal (`prompt`) or in a pipe (`pipe`), with a hosted room for --host."""

import asyncio
import signal
import sys

from protocol.sanitize import sanitize
from tui import stdio
from tui.address import Address
from tui.hosting.hosted_server import CannotHost, HostedServer, HostOptions
from tui.line import pipe
from tui.settings import Settings, not_remembered, remember
from tui.transcript.transcript import Transcript

EXIT_LEFT = 0
LEAVE_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def run(
    address: Address | None, nick: str | None, host: HostOptions | None, settings: Settings, transcript: Transcript
) -> int:
    """Take part in the room at `address`, or in a room that is hosted with `host`. Returns the exit code.

    `nick` is the nickname of the command line; without one, the prompt asks for it, and a pipe uses the remembered one.
    `transcript` records the room's events.
    """
    return asyncio.run(_run(address, nick, host, settings, transcript))


async def _run(
    address: Address | None, nick: str | None, host: HostOptions | None, settings: Settings, transcript: Transcript
) -> int:
    told_to_leave = False
    task = asyncio.current_task()
    assert task is not None

    def leave() -> None:
        nonlocal told_to_leave
        told_to_leave = True
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in LEAVE_SIGNALS:
        loop.add_signal_handler(number, leave)
    keeping = asyncio.create_task(transcript.sync_forever())
    try:
        if address is not None:
            return await _take_part(address, nick, settings, None, transcript)
        return await _host(nick, host or HostOptions(), settings, transcript)
    except asyncio.CancelledError:
        if not told_to_leave:
            raise  # Ctrl-C: asyncio.run raises KeyboardInterrupt.
        return EXIT_LEFT
    finally:
        keeping.cancel()


async def _host(nick: str | None, options: HostOptions, settings: Settings, transcript: Transcript) -> int:
    server = HostedServer(options)
    try:
        address = await server.start()
    except CannotHost as failure:
        print(f"chat-tui: {failure}", file=sys.stderr)
        return failure.exit_code
    try:
        for invitation in server.invitations:
            print(f"--- the room is open: chat-tui {invitation}", file=sys.stderr, flush=True)
        return await _take_part(address, nick, settings, server, transcript)
    finally:
        await server.stop()


async def _take_part(
    address: Address, nick: str | None, settings: Settings, server: HostedServer | None, transcript: Transcript
) -> int:
    if not stdio.can_draw():  # A dumb terminal echoes and edits the line itself.
        return await pipe.take_part(address, settings, server, transcript)
    from tui.line import prompt  # Loads prompt_toolkit, which only a terminal needs.

    code, now = await prompt.take_part(address, nick, settings, server, transcript)
    if server is None and now is not settings and not remember(settings, now.with_room(address)):
        stdio.print_error(f"chat-tui: {sanitize(not_remembered())}")
    return code
