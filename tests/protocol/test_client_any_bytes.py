"""The client with any bytes from a server, in any pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import client, json_lines
from protocol.client import MULTILINE_FIELDS, Gap
from protocol.messages import (
    Event,
    Said,
)
from protocol.sanitize import sanitize
from tests.protocol.clients import connected, in_room, said, told
from tests.protocol.strategies import (
    EVENTS,
    any_of,
    cut,
    events,
    places,
    sendable_text,
    strings_in,
    ways_to_cut,
    wire_bytes,
)


class TestAnyBytes:
    @given(st.binary() | wire_bytes, places)
    def test_any_bytes_do_not_raise(self, data: bytes, places: list[int]) -> None:
        ours = connected()
        for piece in cut(data, places):
            ours.receive(piece)

    @given(st.lists(events.map(json_lines.encode) | wire_bytes, max_size=6).map(b"".join), places)
    def test_any_cut_gives_the_same_events(self, data: bytes, places: list[int]) -> None:
        results = []
        for pieces in ways_to_cut(data, places):
            ours = connected()
            heard = [event for piece in pieces for event in ours.receive(piece)]
            results.append((heard, ours.seq, ours.nick, ours.people, ours.in_room, ours.data_to_send()))
        assert results[0] == results[1] == results[2]

    @pytest.mark.parametrize("kind", EVENTS)
    def test_text_in_each_field_is_sanitized(self, kind: type[Event]) -> None:
        @given(any_of(kind, sendable_text))
        def prove(event: Event) -> None:
            assert isinstance(event, Event)
            for heard in told(connected(), event):
                for field, text in strings_in(heard):
                    assert sanitize(text, lines=field in MULTILINE_FIELDS) == text
            ours = in_room()
            told(ours, event)
            assert all(sanitize(nick) == nick for nick in (ours.nick, *ours.people))

        prove()

    @given(st.lists(st.integers(1, 30), max_size=15))
    def test_each_seq_is_returned_once_or_counted_in_a_gap(self, seqs: list[int]) -> None:
        ours, at = in_room(), 0
        for event in told(ours, *map(said, seqs)):
            match event:
                case Gap(missed=int(missed)):
                    at += missed
                case Said(seq=seq):
                    assert seq == at + 1
                    at = seq
        assert at == ours.seq == max(seqs, default=0)

    def test_events_of_a_newer_server_are_ignored(self) -> None:
        ours = in_room()
        assert ours.receive(b'{"type":"fireworks"}\nnot json\n\xff\n' + json_lines.encode(said(1))) == [said(1)]

    def test_event_above_the_limit_is_a_gap_without_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "MAX_EVENT_BYTES", 100)
        ours = in_room()
        long = json_lines.encode(said(1, "x" * 1000))
        assert [event for byte in long for event in ours.receive(bytes([byte]))] == []
        assert told(ours, said(2)) == [Gap(1), said(2)]
