"""The client under whatever a server may send, in whatever pieces."""

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


class TestWhateverTheServerSends:
    @given(st.binary() | wire_bytes, places)
    def test_nothing_makes_it_raise(self, data: bytes, places: list[int]) -> None:
        ours = connected()
        for piece in cut(data, places):
            ours.receive(piece)

    @given(st.lists(events.map(json_lines.encode) | wire_bytes, max_size=6).map(b"".join), places)
    def test_it_hears_the_same_however_the_bytes_are_cut(self, data: bytes, places: list[int]) -> None:
        results = []
        for pieces in ways_to_cut(data, places):
            ours = connected()
            heard = [event for piece in pieces for event in ours.receive(piece)]
            results.append((heard, ours.seq, ours.nick, ours.people, ours.in_room, ours.data_to_send()))
        assert results[0] == results[1] == results[2]

    @pytest.mark.parametrize("kind", EVENTS)
    def test_strangers_text_is_harmless_in_every_field_of_every_event(self, kind: type[Event]) -> None:
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
    def test_each_number_is_passed_on_once_in_order_and_what_is_left_out_is_a_gap(self, seqs: list[int]) -> None:
        ours, at = in_room(), 0
        for event in told(ours, *map(said, seqs)):
            match event:
                case Gap(missed=int(missed)):
                    at += missed
                case Said(seq=seq):
                    assert seq == at + 1
                    at = seq
        assert at == ours.seq == max(seqs, default=0)

    def test_what_a_newer_server_may_say_is_passed_over(self) -> None:
        ours = in_room()
        assert ours.receive(b'{"type":"fireworks"}\nnot json\n\xff\n' + json_lines.encode(said(1))) == [said(1)]

    def test_an_event_over_the_limit_is_a_gap_and_costs_no_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "MAX_EVENT_BYTES", 100)
        ours = in_room()
        long = json_lines.encode(said(1, "x" * 1000))
        assert [event for byte in long for event in ours.receive(bytes([byte]))] == []
        assert told(ours, said(2)) == [Gap(1), said(2)]
