"""Links to a room with real sessions, without sockets."""

from protocol.messages import Limits
from tests.server.without_sockets import UNLIMITED, House, new_room
from tui.address import Address
from tui.client import RoomClient
from tui.link.room_link import LinkState, RoomLink

KEY = b"a key of the operators"


class HouseLink(RoomLink):
    """A link to a House."""

    house: House
    number: int

    def enter(self, house: House) -> None:
        """Connect to a house."""
        self.house, self.number = house, house.open()
        self.client.connected()
        self.pass_on()

    def lose(self, phase: str = "waiting") -> None:
        """Lose the connection."""
        if self.number in self.house.sessions:
            self.house.close(self.number)
        self.client.disconnected()
        self._set_state(LinkState(phase, "lost"))  # type: ignore[arg-type]  # one of the phases

    def pass_on(self) -> None:
        """Pass all data on in both directions, until both sides have read it."""
        self._write()
        self.house.step()
        while self.number in self.house.sessions and (data := self.house.taken(self.number)):
            for event in self.client.receive(data):
                self._on_event(event)
            self._batches.flush()
            self.house.step()

    def _write(self) -> None:
        data = self.client.data_to_send()
        if data and self.number in self.house.sessions:
            self.house.send(self.number, data)


def house_client(nick: str = "ada", **options: object) -> tuple[RoomClient, HouseLink]:
    """A client of a house, and its link, which has not entered it yet."""
    client = RoomClient(Address("192.0.2.7"), nick, make_link=HouseLink, **options)  # type: ignore[arg-type]  # as they came
    assert isinstance(client.link, HouseLink)
    return client, client.link


def operated(limits: Limits = UNLIMITED) -> House:
    """A house with operators."""
    house = House(limits)
    house.room = new_room(limits, key=KEY)
    return house
