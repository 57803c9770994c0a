"""Pictures of the operator's controls, compared with checked ones."""

import pytest
from textual.widgets import Digits

from protocol.messages import Event, MeterReading, OperatorGranted, Rules, RulesChanged, Totals
from tests.tui.acting import Actor
from tests.tui.raster import decoded
from tests.tui.snapshots.scripted import ADDRESS, AT, Room, app
from tests.tui.snapshots.test_pictures import Compare, draw, same_everywhere
from tui.address import Address
from tui.app import ChatApp
from tui.hosting.invitation import Invitation, SshEntrance
from tui.screens.host import HostControls

__all__ = ["same_everywhere"]

PEOPLE = ["ada", "bob", "cleo", "dan", "Zoë", "李雷"]
COSTS = {
    "process": (0.0021, 0.019, 39, 39, 68 * 2**20, 1_300_000, 0.41),
    "thread": (0.0009, 0.012, 1, 38, 26 * 2**20, 48_000, 0.22),
    "event": (0.0006, 0.006, 1, 1, 25 * 2**20, 41_000, 0.18),
}
TALLY = Totals(
    most_people=37, lines=4_210, slowed=3, refused=2, let_go=1, died=1, escaped=2, look_alikes=1, longest=0.21
)


def metered(model: str, lines: float) -> MeterReading:
    """A fixed reading of the meter."""
    p50, p99, processes, threads, memory, each, cpu = COSTS[model]
    return MeterReading(AT, model, 37, 36, lines, lines * 37, p50, p99, processes, threads, memory, each, cpu, TALLY)


def hosted(address: Address = ADDRESS) -> ChatApp:
    """A room that all three models have run, with a pinned line."""
    room = Room("process", PEOPLE, 37)
    evening: list[Event] = [*room.welcome(), OperatorGranted(), room.said("bob", "is it faster now?")]
    evening += [metered("process", lines) for lines in (4.0, 12.0, 31.0, 22.0)]
    evening.append(room.switched("thread"))
    evening += [metered("thread", lines) for lines in (22.0, 18.0, 41.0, 30.0)]
    evening.append(room.switched("event"))
    evening += [metered("event", lines) for lines in (30.0, 44.0, 52.0, 48.0)]
    evening.append(room.said("cleo", "I did not notice a thing"))
    said = room.said("Zoë", "from the [b]last[/b] row")
    ruled = RulesChanged(said.seq + 1, said.at, "ada pinned: questions at the end", Rules(pin="questions at the end"))
    return app([*evening, said, ruled], address=address)


def test_the_meter_beside_the_room(snap_compare: Compare) -> None:
    """Live figures with two sparklines, the three models side by side, the totals, the pinned line."""

    async def look(ada: Actor) -> None:
        await ada.press("f2")
        await ada.sees("▣ process", "≋ thread", "↻ event", "1,924", "p50 0.6 ms", "most", "▌ questions at the end")

    draw(snap_compare, hosted(), look, (100, 30))


def test_the_join_card_on_a_small_terminal(snap_compare: Compare) -> None:
    """The address in big digits, three commands, a warning, and a code that a decoder can read."""

    async def look(ada: Actor) -> None:
        await ada.press("f4")
        await ada.sees("nc 192.0.2.7 2000", "telnet 192.0.2.7 2000", "chat-tui 192.0.2.7", "6 here", "encrypted")
        assert decoded(ada.app.screen) == ["http://192.0.2.7:2000"]

    draw(snap_compare, hosted(), look)


SSH = SshEntrance(2022, "SHA256:uNiVztksCsDhcc0u9e8BrrJrnxCVkCbAEGaTqvyr4pY")


def test_the_join_card_with_ssh_on_a_small_terminal(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command and the host key appear once guests can come by ssh, and the warning does not claim too much."""
    invitation = Invitation((Address("192.0.2.7"),), ssh=SSH)
    monkeypatch.setattr(HostControls, "invitation", property(lambda self: invitation))

    async def look(ada: Actor) -> None:
        await ada.press("f4")
        await ada.sees("chat-tui 192.0.2.7", "ssh -p 2022 you@192.0.2.7", "SHA256:", "Only ssh is encrypted")
        assert decoded(ada.app.screen) == ["http://192.0.2.7:2000"]

    draw(snap_compare, hosted(), look)


LONGEST = Address("2001:db8:1234:5678:9abc:def0:1234:5678", 54321)


def test_the_join_card_of_a_long_address_on_a_small_terminal(snap_compare: Compare) -> None:
    """The address on one line, the commands, the warning, and a complete code that a decoder can read."""

    async def look(ada: Actor) -> None:
        await ada.press("f4")
        await ada.sees(
            str(LONGEST), f"  {LONGEST.host} ", "telnet", "chat-tui", "network can join", "Any key: to the room"
        )
        assert decoded(ada.app.screen) == [f"http://{LONGEST}"]

    draw(snap_compare, hosted(LONGEST), look)


def test_the_join_card_of_a_short_address_of_ipv6(snap_compare: Compare) -> None:
    """An IPv6 address is in big digits too: they include A to F."""

    async def look(ada: Actor) -> None:
        await ada.press("f4")
        await ada.sees("nc fd00::7 2000", "encrypted")
        assert ada.app.screen.query_one(Digits).display
        assert decoded(ada.app.screen) == ["http://[fd00::7]:2000"]

    draw(snap_compare, hosted(Address("fd00::7")), look)


def test_the_stage(snap_compare: Compare) -> None:
    """The model big and in its colour, people and lines a second in big digits, a code, the pin, the last lines."""

    async def look(ada: Actor) -> None:
        await ada.press("f5")
        await ada.sees("people", "lines a second", "Zoë: from the [b]last[/b] row", "▌ questions at the end")
        assert decoded(ada.app.screen) == ["http://192.0.2.7:2000"]

    draw(snap_compare, hosted(), look)


def test_the_stage_with_a_long_line_after_panic(snap_compare: Compare) -> None:
    """The newest line is visible although the one before it is very long: each has one row. The rules are beside the
    pinned line."""
    room = Room("event", PEOPLE, 37)
    evening: list[Event] = [*room.welcome(), OperatorGranted(), metered("event", 52.0)]
    evening += [room.said("bob", f"line {number}") for number in range(20)]
    evening += [
        room.said("dan", "a line that is much too long for the stage 李雷 " * 30),
        room.said("Zoë", "the newest"),
    ]
    rules = Rules(locked=True, quiet=True, slow=2.5, pin="questions at the end, and the code is in the room")
    evening.append(RulesChanged(evening[-1].seq + 1, AT, "ada asked for quiet: only operators speak", rules))

    async def look(ada: Actor) -> None:
        await ada.press("f5")
        await ada.sees("the newest", "dan: a line that is", "questions at the end", "locked   quiet   slow 2.5 s")
        assert ada.picture.count("李雷") < 5

    draw(snap_compare, app(evening), look)


def test_what_to_do_about_a_person(snap_compare: Compare) -> None:
    """A menu over the room, dimmed: name, mute, kick, ban, operator, chaos."""

    async def look(ada: Actor) -> None:
        await ada.press("f3", "down", "enter")
        await ada.sees("Mute: nobody hears them", "Ban for an hour", "Chaos: block them for 300 ms")

    draw(snap_compare, hosted(), look)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_bar_of_a_host(snap_compare: Compare, width: int) -> None:
    """The model, the count, the serving process and the round trip at any width; the address there or at the top."""

    async def look(ada: Actor) -> None:
        await ada.is_in()
        await ada.sees_in_bar("▣ process 1,234 connected you: process 4321 ping 3 ms")
        await ada.sees_in_bar("f1 help")
        assert "192.0.2.7:2000" in ada.rows[0]
        assert ("192.0.2.7:2000" in ada.bar) is (width == 100)
        assert ("f2 meter" in ada.bar) is (width == 120)

    room = Room("process", PEOPLE, 1_234)
    draw(snap_compare, app([*room.welcome(), OperatorGranted(), room.said("bob", "who runs this?")]), look, (width, 16))
