"""Tests of the Room under arbitrary commands and bytes, as its clients see it."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import (
    Command,
)
from protocol.nicknames import check_nickname
from protocol.sanitize import sanitize
from tests.protocol.strategies import commands, strings_in, wire_bytes
from tests.server.without_sockets import House, plain, rich


class TestWhateverIsAsked:
    @given(st.lists(st.tuples(st.integers(1, 3), commands), max_size=12))
    def test_room_sends_only_harmless_output(self, asked: list[tuple[int, Command]]) -> None:
        house = House()
        (ada, _), (bob, _) = rich(house, "ada"), rich(house, "bob")
        plain(house, "cleo")
        operator = house.room.roster.find_holder("ada")
        assert operator is not None
        operator.operator = True
        for number, command in asked:
            if number in house.sessions:
                house.send(number, command)
                house.step(0.5)
        for number in {ada, bob} & house.sessions.keys():
            for event in house.events(number):
                for field, text in strings_in(event):
                    assert sanitize(text, lines=field == "text") == text

    @given(st.lists(st.tuples(st.integers(1, 3), wire_bytes), max_size=8))
    def test_plain_client_reads_only_member_and_room_lines(self, sent: list[tuple[int, bytes]]) -> None:
        house = House()
        for _ in range(3):
            house.open()
        listener = plain(house, "listener")
        for number, data in sent:
            if number in house.sessions:
                house.send(number, data)
                house.step(0.5)
        for line in house.heard(listener):
            start, _, _ = line.partition(" ")
            assert start in ("***", "*") or check_nickname(start.removesuffix(":"))
            assert sanitize(line) == line
