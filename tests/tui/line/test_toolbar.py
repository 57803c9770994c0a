"""The toolbar of line mode fits into 80 columns, and shows no old status while the link is broken."""

import re
from time import monotonic

import pytest

from protocol.messages import Refused, Status
from tui.address import Address
from tui.client import RoomClient
from tui.line.client import LineClient
from tui.line.formatting import text_of
from tui.line.toolbar import toolbar
from tui.link.room_link import LinkState
from tui.message_log.layout import cells

ROOM = Address("192.0.2.77", 20001)


def client(state: LinkState, *, unsaid: int = 0, round_trip: float | None = None) -> LineClient:
    client = RoomClient(ROOM, "ada")
    client.link.state = state
    client.link.round_trip = round_trip
    client.status = Status("process", 1234, "process 4321")
    for number in range(unsaid):
        client.link.client.say(f"line {number}")
    return LineClient(client, show=lambda lines: None)


def drawn(client: LineClient, columns: int = 80) -> str:
    return text_of(toolbar(client, columns))


def test_toolbar_uses_the_wording_of_the_status_bar() -> None:
    online = client(LinkState("online"), round_trip=0.0004)
    assert drawn(online) == " ▣ process  1,234 connected  you: process 4321  ping 0.4 ms  192.0.2.77:20001"


def test_toolbar_offline_shows_reason_attempt_and_unsaid_lines() -> None:
    away = client(LinkState("waiting", "nobody listens there", monotonic() + 11.5, 3), unsaid=12)
    told = drawn(away)
    assert told == " ○ away: next attempt in 12 s  12 lines to be said  nobody listens there"
    assert len(told) <= 80


def test_one_line_that_waits_is_one_line() -> None:
    assert "   1 line to be said" in drawn(client(LinkState("waiting", "", monotonic() + 2, 1), unsaid=1))


async def test_toolbar_shows_lines_in_slow_mode_first() -> None:
    online = client(LinkState("online"))
    online.handle_input("one")
    (id,) = online.client.link.client.unacknowledged
    online.client._on_events([Refused("slow-mode", "slow mode", id, wait=9.5)])
    assert drawn(online).startswith(" 1 line to be said in 10 s  ▣ process")


def test_toolbar_offline_shows_no_old_status() -> None:
    for state in (
        LinkState("waiting", "nobody listens there", monotonic() + 1, 1),
        LinkState("connecting", "", attempt=2),
    ):
        assert "process" not in drawn(client(state))
        assert "1,234" not in drawn(client(state))


def test_toolbar_narrow_drops_least_important_parts() -> None:
    online = client(LinkState("online"), round_trip=0.0004)
    assert drawn(online, 50) == " ▣ process  1,234 connected  you: process 4321"
    assert drawn(online, 12) == " ▣ process"


@pytest.mark.parametrize("width", range(20, 201))
def test_toolbar_of_any_width_is_one_row_of_complete_parts(width: int) -> None:
    """No row ends with a gap, only a single part is ever cut, and a ping always has its name."""
    states = (
        LinkState("online"),
        LinkState("waiting", "nobody listens there", monotonic() + 11.5, 3),
        LinkState("connecting"),
    )
    for told in (drawn(client(state, unsaid=1234, round_trip=0.0123), width) for state in states):
        assert cells(told) <= width
        assert told == told.rstrip()
        parts = re.split(" {2,}", told.strip())
        assert all(part.startswith("ping ") for part in parts if part.endswith(" ms"))
        assert len(parts) == 1 or "…" not in told
