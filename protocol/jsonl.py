"""The rich dialect: one JSON object a line, `type` says which message it is.

Decoding never raises: what is not a message comes back as Refused, with a code and a sentence.
"""

import msgspec

from protocol.messages import (
    AnyOrder,
    AskStatus,
    Challenge,
    Command,
    Event,
    Goodbye,
    Granted,
    Hello,
    Metered,
    Operator,
    People,
    Ping,
    Pong,
    Quit,
    Refused,
    Rename,
    Say,
    Sequenced,
    Status,
    Welcome,
    Where,
    Who,
)
from protocol.text import harmless

AnyCommand = Hello | Say | Rename | Who | AskStatus | Where | Ping | Quit | Operator | AnyOrder
AnyEvent = Sequenced | Welcome | Challenge | Status | People | Refused | Pong | Granted | Metered | Goodbye

_encoder = msgspec.json.Encoder()
_command = msgspec.json.Decoder(AnyCommand)
_event = msgspec.json.Decoder(AnyEvent)


def encode(message: Command | Event) -> bytes:
    """The message as one line, with its end."""
    return _encoder.encode(message) + b"\n"


def decode_command(line: bytes) -> AnyCommand | Refused:
    """The command in a line, or why there is none: `bad-utf8`, `bad-json` or `bad-command`."""
    try:
        line.decode()
        command: AnyCommand = _command.decode(line)
        return command
    except UnicodeDecodeError:
        return Refused("bad-utf8", "that line is not UTF-8")
    except msgspec.ValidationError as error:
        return Refused("bad-command", harmless(f"that is no command: {error}"))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        return Refused("bad-json", harmless(f"that is not JSON: {error}"))


def decode_hello(line: bytes) -> Hello | Quit | Refused:
    """The first command: `hello` or `quit`. Any other is refused as `not-joined`."""
    command = decode_command(line)
    if isinstance(command, Hello | Quit | Refused):
        return command
    return Refused("not-joined", 'say hello first: {"type":"hello","nick":"ada"}')


def decode_event(line: bytes) -> AnyEvent | None:
    """The event in a line; None for what a newer server may send and this client does not know."""
    try:
        event: AnyEvent = _event.decode(line)
        return event
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
