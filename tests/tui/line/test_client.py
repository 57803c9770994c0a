"""LineClient in a real room without sockets: the lines that it prints."""

import pytest

from protocol.messages import Kick, Lock, Refused, Say
from tests.server.without_sockets import House, rich
from tests.tui.house_links import KEY, house_client, operated
from tui.line.client import JoinFailed, LineClient
from tui.line.formatting import Line, text_of


class Printed:
    """A line client, its link, and the lines that it printed."""

    def __init__(self, nick: str = "ada", **options: object) -> None:
        self.lines: list[str] = []
        self.rings = 0
        client, self.link = house_client(nick, **options)
        self.view = LineClient(client, show=self._print, on_mention=self._ring)

    def _print(self, lines: list[Line]) -> None:
        self.lines += map(text_of, lines)

    def _ring(self) -> None:
        self.rings += 1

    def types(self, text: str) -> bool:
        stays = self.view.handle_input(text)
        self.link.pass_on()
        return stays


@pytest.fixture
def house() -> House:
    return operated()


@pytest.fixture
def ada(house: House) -> Printed:
    client = Printed()
    client.link.enter(house)
    return client


def test_line_client_prints_the_history_between_its_marks(house: House) -> None:
    bob, _ = rich(house, "bob")
    house.send(bob, Say("1", "hi"))
    ada = Printed()
    ada.link.enter(house)
    start = ada.lines.index("*** the last 1 line, from before you came:")
    end = ada.lines.index("*** that was before; from here on it is live")
    assert "bob: hi" in ada.lines[start:end]
    assert ada.lines[end + 1].startswith("--- you are in the room, as ada, with 1 other")


def test_line_client_rings_for_a_missed_mention(house: House, ada: Printed) -> None:
    bob, _ = rich(house, "bob")
    ada.link.lose()
    assert ada.lines[-1].startswith("--- the room is lost: lost; trying to come back")
    house.send(bob, Say("1", "ada?"))
    ada.link.enter(house)
    assert ada.lines[-3:] == ["--- back in the room, as ada", "*** bob joined", "bob: ada?"]
    assert ada.rings == 1


def test_line_client_prints_the_loss_once(ada: Printed) -> None:
    for _ in range(3):
        ada.link.lose("waiting")
        ada.link.lose("connecting")
    assert sum("the room is lost" in line for line in ada.lines) == 1


def test_line_client_rejected_while_it_returns_prints_why(house: House, ada: Printed) -> None:
    boss = Printed("boss", key=KEY)
    boss.link.operator(KEY)
    boss.link.enter(house)
    ada.link.client.token = "unknown"
    ada.link.lose()
    house.send(boss.link.number, Lock())
    ada.link.enter(house)
    assert ada.lines[-1].startswith("*** goodbye: the room is locked")
    assert ada.view.failures == 0


def test_line_client_counts_failed_lines_only(house: House, ada: Printed) -> None:
    assert ada.types("hello")
    assert ada.types("/nonsense")
    assert ada.types("/lock")
    assert next(line for line in ada.lines if "nonsense" in line).startswith("--- there is no command /nonsense")
    assert ada.view.failures == 2
    assert not ada.types("/quit")


async def test_line_client_refused_nickname_fails_to_join(house: House) -> None:
    rich(house, "ada")
    ada = Printed()
    ada.link.enter(house)
    with pytest.raises(JoinFailed, match="ada is taken") as failed:
        await ada.view.wait_until_joined()
    assert isinstance(failed.value.refused, Refused)
    assert failed.value.refused.suggestion == "ada2"
    assert not any("taken" in line for line in ada.lines)


async def test_line_client_ends_after_a_final_goodbye(house: House, ada: Printed) -> None:
    boss = Printed("boss", key=KEY)
    boss.link.operator(KEY)
    boss.link.enter(house)
    house.send(boss.link.number, Kick("ada", "enough"))
    ada.link.pass_on()
    assert ada.lines[-1] == "*** goodbye: boss kicked you: enough"
    ada.link.lose("over")
    assert ada.view.ended.is_set()
    await ada.view.wait_until(lambda: False)
