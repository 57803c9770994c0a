"""Clients joined to a room without sockets, over connections that break at any byte.

After any break, each client receives each event once and in order, or a gap with the number of lost events, and each of
its lines is said exactly once.
"""

from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from protocol.client import ClientConnection, Gap, Received
from protocol.messages import Presence, Refused, Said, Sequenced, Welcome
from tests.server.without_sockets import House, applied

KEEP = 3
clients = st.integers(0, 2)
some_bytes = st.sampled_from([0, 10**6]) | st.integers(1, 600)


class Wire:
    """A client and its connection, if it has one."""

    def __init__(self, house: House, nick: str, ids: str) -> None:
        numbers = count(1)
        self.client = ClientConnection(nick, lambda: f"{ids}-{next(numbers)}")
        self.house = house
        self.number = 0
        self.on_its_way = bytearray()
        self.heard: list[Received] = []
        self.said: list[str] = []

    @property
    def up(self) -> bool:
        return self.number in self.house.sessions

    def connect(self) -> None:
        """Make a connection if there is none: the server may have ended the last one (silence, a full outbox)."""
        if self.up:
            return
        self.client.disconnected()
        self.number = self.house.open()
        self.on_its_way.clear()
        self.client.connected()

    def send(self, most: int) -> None:
        """Pass so many bytes to the server."""
        self.on_its_way += self.client.data_to_send()
        if self.up and (data := bytes(self.on_its_way[:most])):
            del self.on_its_way[:most]
            self.house.send(self.number, data)

    def receive(self, most: int) -> None:
        """Pass so many bytes to the client."""
        for event in self.client.receive(self.house.taken(self.number, most) if self.up else b""):
            self.heard.append(event)
            if isinstance(event, Refused) and event.suggestion and not self.client.in_room:
                self.client.retry_hello(event.suggestion)

    def cut(self, noticed: bool) -> None:
        """Break the connection and drop the bytes on the way. The server may not notice."""
        if noticed:
            self.house.close(self.number)
        self.number = 0
        self.client.disconnected()


class ClientsInARoom(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.house = House(keep=KEEP, history=3)
        self.wires = [Wire(self.house, nick, ids) for nick, ids in (("ada", "a"), ("bob", "b"), ("ada", "c"))]
        self.witness = Wire(self.house, "witness", "w")
        self.texts = count(1)
        self.settle([])

    @initialize(there=st.sets(clients))
    def some_are_there(self, there: set[int]) -> None:
        self.settle([self.wires[which] for which in there])

    @rule(which=clients, times=st.integers(1, 5))
    def say(self, which: int, times: int) -> None:
        wire = self.wires[which]
        for _ in range(times):
            wire.said.append(wire.client.say(f"line {next(self.texts)}"))

    @rule(which=clients, nick=st.sampled_from(["ada", "bob", "cleo"]))
    def rename(self, which: int, nick: str) -> None:
        if (wire := self.wires[which]).client.in_room:
            wire.client.rename(nick)

    @rule(which=clients, up=some_bytes, seconds=st.sampled_from([0.0, 0.1, 1.0]), down=some_bytes)
    def exchange(self, which: int, up: int, seconds: float, down: int) -> None:
        wire = self.wires[which]
        wire.connect()
        wire.send(up)
        self.house.step(seconds)
        self.witness.receive(10**9)
        wire.receive(down)

    @rule(which=clients, noticed=st.booleans())
    def cut(self, which: int, noticed: bool) -> None:
        if (wire := self.wires[which]).up:
            wire.cut(noticed)

    @invariant()
    def in_order(self) -> None:
        """Each client has received each event since it joined once and in order, or a gap for it."""
        order = {event.seq: event for event in self.witness.heard if isinstance(event, Sequenced)}
        for wire in self.wires:
            at = shown = 0
            for event in wire.heard:
                match event:
                    case Welcome(resumed=False, seq=seq):
                        assert at == 0
                        at = seq
                    case Gap(missed=int(missed)):
                        at += missed
                    case _ if isinstance(event, Sequenced) and event.seq:
                        # The history for a newcomer has lines only, in their order.
                        assert event.seq == at + 1 or shown < event.seq <= at == self.came_in_at(wire)
                        at, shown = max(at, event.seq), event.seq
                        assert event == order.get(event.seq, event)
            assert at == wire.client.seq

    def came_in_at(self, wire: Wire) -> int:
        return next(event.seq for event in wire.heard if isinstance(event, Welcome))

    def teardown(self) -> None:
        self.settle(self.wires)
        self.in_order()
        told = [event for event in self.witness.heard if isinstance(event, Said)]
        assert [event.seq for event in self.witness.heard if isinstance(event, Sequenced)] == list(
            range(1, self.witness.client.seq + 1)
        )
        here: set[str] = set()
        for event in self.witness.heard:
            here = applied(here, event) if isinstance(event, Presence) else here
        for wire in self.wires:
            assert wire.client.in_room
            assert wire.client.seq == self.witness.client.seq
            assert wire.client.unacknowledged == {}
            assert wire.client.nick in here
            assert wire.client.people == here
            assert [event.id for event in told if event.id in wire.said] == wire.said
        assert len({wire.client.nick for wire in self.wires}) == len(self.wires)
        assert len(told) == len({event.text for event in told}) == next(self.texts) - 1

    def settle(self, wires: list[Wire]) -> None:
        """Deliver all bytes on the way, and let each client ask for the roster."""
        wires = [*wires, self.witness]
        for asked in (False, True):
            for wire in wires:
                if asked:
                    wire.client.who()
            for _ in range(6):
                for wire in wires:
                    wire.connect()
                    wire.send(10**9)
                self.house.step(1.0)
                for wire in wires:
                    wire.receive(10**9)


TestClientsInARoom = ClientsInARoom.TestCase
TestClientsInARoom.settings = settings(max_examples=120, stateful_step_count=40)
