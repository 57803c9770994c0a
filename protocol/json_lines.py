"""The rich dialect: one JSON object a line, with the type of the message in `type`.

Decoding never raises: a line that is not a message is decoded to Refused, with a code and a sentence.
"""

import msgspec

from protocol.messages import (
    AnyOperatorCommand,
    Challenge,
    Command,
    Event,
    Goodbye,
    Hello,
    MeterReading,
    Operator,
    OperatorGranted,
    People,
    Ping,
    Pong,
    Quit,
    Refused,
    Rename,
    Say,
    Sequenced,
    Status,
    StatusRequest,
    Welcome,
    Where,
    Who,
)
from protocol.sanitize import sanitize

AnyCommand = Hello | Say | Rename | Who | StatusRequest | Where | Ping | Quit | Operator | AnyOperatorCommand
AnyEvent = Sequenced | Welcome | Challenge | Status | People | Refused | Pong | OperatorGranted | MeterReading | Goodbye

_encoder = msgspec.json.Encoder()
_command = msgspec.json.Decoder(AnyCommand)
_event = msgspec.json.Decoder(AnyEvent)


def encode(message: Command | Event) -> bytes:
    """The message as one line, with its end."""
    return _encoder.encode(message) + b"\n"


def decode_command(line: bytes) -> AnyCommand | Refused:
    """The command in a line, or Refused with the code `bad-utf8`, `bad-json` or `bad-command`."""
    try:
        line.decode()
        command: AnyCommand = _command.decode(line)
        return command
    except UnicodeDecodeError:
        return Refused("bad-utf8", "that line is not UTF-8")
    except msgspec.ValidationError as error:
        return Refused("bad-command", sanitize(f"that is no command: {error}"))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        return Refused("bad-json", sanitize(f"that is not JSON: {error}"))


def decode_hello(line: bytes) -> Hello | Quit | Refused:
    """The first command: `hello` or `quit`. Any other is refused as `not-joined`."""
    command = decode_command(line)
    if isinstance(command, Hello | Quit | Refused):
        return command
    return Refused("not-joined", 'say hello first: {"type":"hello","nick":"ada"}')


def decode_event(line: bytes) -> AnyEvent | None:
    """The event in a line; None if it cannot be decoded, such as a new event of a newer server."""
    try:
        event: AnyEvent = _event.decode(line)
        return event
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
