import msgspec
import pytest

from protocol.dialects import DIALECTS, RICH
from protocol.messages import Event, Hello, Identifier, Limits, Model, Presence, Resume, Said
from tests.protocol.strategies import COMMANDS, EVENTS

TAGS = {
    "hello": "Hello", "say": "Say", "rename": "Rename", "who": "Who", "status": "StatusRequest", "ping": "Ping",
    "quit": "Quit", "operator": "Operator", "switch": "Switch",
}  # fmt: skip


def tag_of(kind: type) -> str:
    return str(kind.__struct_config__.tag)  # type: ignore[attr-defined]  # every Struct has it


def test_each_command_has_the_tag_that_clients_know_it_by() -> None:
    assert {tag_of(kind): kind.__name__ for kind in COMMANDS}.items() >= TAGS.items()


@pytest.mark.parametrize("kinds", [COMMANDS, EVENTS])
def test_no_two_share_a_tag(kinds: list[type]) -> None:
    tags = [tag_of(kind) for kind in kinds]
    assert len(set(tags)) == len(tags)


def test_the_tag_is_called_type() -> None:
    assert {kind.__struct_config__.tag_field for kind in (*COMMANDS, *EVENTS)} == {"type"}


def test_what_an_event_leaves_at_its_default_takes_no_room_on_the_wire() -> None:
    assert (
        msgspec.json.encode(Presence(7, 1.5, joined=["ada"]))
        == b'{"type":"presence","seq":7,"at":1.5,"joined":["ada"]}'
    )


def test_no_two_events_share_the_list_of_a_default() -> None:
    Presence(1, 0.0).joined.append("ada")
    assert Presence(2, 0.0).joined == []


def test_the_limits_are_those_of_the_design() -> None:
    assert Limits() == Limits(line=4096, text=2000, lines=40, nick=24, burst=10, rate=2.0, join_timeout=10.0)


def test_models_and_dialects_are_written_as_their_names() -> None:
    assert [str(model) for model in Model] == ["process", "thread", "event"]
    assert [str(dialect) for dialect in DIALECTS] == ["plain", "rich"]


@pytest.mark.parametrize("after", [-1, 2**53 + 1, 2**64, 10**30])
def test_a_place_to_resume_after_is_a_number_that_every_reader_can_hold(after: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"token":"t","after":%d}' % after, type=Resume)


@pytest.mark.parametrize("id", ["", "x" * 65])
def test_an_identifier_has_1_to_64_characters(id: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(id, Identifier)


def test_every_message_says_what_it_is_for_or_is_told_by_its_name() -> None:
    undocumented = {kind.__name__ for kind in EVENTS if kind.__doc__ in (None, Event.__doc__)}
    assert undocumented <= {"Pong"}


def test_a_hello_is_taken_for_rich_and_said_for_nobody_until_told_otherwise() -> None:
    assert Hello("ada").dialect == RICH.name
    assert Said(1, "ada", "hi", 0.0).id == ""
