"""The clients get events with absurd numbers, sizes and depths."""

import json
import random
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.content import Content

from protocol import json_lines
from protocol.client import ClientConnection, Received
from protocol.format import format_status
from protocol.messages import MeterReading, ModelSwitched, Refused, Rules, Status, Welcome
from tests.protocol.clients import in_room
from tests.protocol.strategies import events
from tui.line.formatting import format_event
from tui.link.pings import LONGEST_INTERVAL_S, SHORTEST_INTERVAL_S, interval
from tui.message_log.builder import EntryBuilder
from tui.meter_history import MeterHistory, comparison, totals_rows
from tui.transcript.formats import as_json_lines, entries_of, markdown
from tui.widgets.bars import StatusBarState, draw_rules, draw_status

ABSURD = ("1" + "0" * 400, "-1", "-" + "9" * 400, "1e308", "1e400", "-1e308", "5e-324", "9" * 19, "0.5", "null")
"""JSON numbers as text, because Python writes none of the largest, and one that is no number."""
NESTED = "[" * 5000 + "]" * 5000
_numbers = st.sampled_from([*ABSURD, '"x"', "[]", "{}", NESTED, "true"])


def _spoil(line: bytes, chooser: random.Random, number: str) -> bytes:
    """The event with one of its numbers replaced, or one of its fields if it has no number."""
    event = json.loads(line)
    places: list[tuple[dict[str, object], str]] = []
    stack: list[object] = [event]
    while stack:
        match stack.pop():
            case dict() as found:
                places += [(found, name) for name in found if name != "type"]
                stack += found.values()
            case list() as found:
                stack += found
    numbers = [one for one in places if isinstance(one[0][one[1]], int | float)]
    if not places:
        return line
    holder, name = chooser.choice(numbers or places)
    holder[name] = "@@"
    return json.dumps(event).replace('"@@"', number).encode() + b"\n"


spoiled = st.builds(_spoil, events.map(json_lines.encode), st.randoms(use_true_random=False), _numbers)
told_lines = st.lists(events.map(json_lines.encode) | spoiled, max_size=8)


def _show(client: ClientConnection, received: list[Received]) -> None:
    """Draw the events with each part of the clients that draws events."""
    builder, metering = EntryBuilder(), MeterHistory()
    builder.add_events(received)
    for event in received:
        format_event(event, client.nick)
        match event:
            case MeterReading():
                metering.add(event)
                comparison(metering)
                totals_rows(event.tally)
            case ModelSwitched():
                metering.switched(event)
            case Status():
                format_status(event)
            case Welcome():
                draw_status(StatusBarState("online", event.model, event.connections, event.served_by, 0.1), 80)
            case Refused():
                round(event.wait)
    records = entries_of(received, 1e9)
    as_json_lines(records)
    markdown(records, "title")
    rules: Rules = client.rules
    assert isinstance(draw_rules(rules, 80), Content)
    assert SHORTEST_INTERVAL_S <= interval(client.limits) <= LONGEST_INTERVAL_S


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(told_lines)
def test_clients_with_absurd_events_do_not_raise(lines: list[bytes]) -> None:
    client = in_room()
    _show(client, client.receive(b"".join(lines)))


def test_decoder_refuses_numbers_out_of_bounds() -> None:
    """A huge integer raises when it is formatted or compared with a float."""
    event: Callable[[str], bytes] = lambda number: b'{"type":"notice","text":"x","seq":%s}' % number.encode()  # noqa: E731
    assert json_lines.decode_event(event("1")) is not None
    for number in ABSURD:
        assert json_lines.decode_event(event(number)) is None
