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


def test_command_tags_do_not_change() -> None:
    assert {tag_of(kind): kind.__name__ for kind in COMMANDS}.items() >= TAGS.items()


@pytest.mark.parametrize("kinds", [COMMANDS, EVENTS])
def test_tags_are_unique(kinds: list[type]) -> None:
    tags = [tag_of(kind) for kind in kinds]
    assert len(set(tags)) == len(tags)


def test_tag_field_is_type() -> None:
    assert {kind.__struct_config__.tag_field for kind in (*COMMANDS, *EVENTS)} == {"type"}


def test_event_is_encoded_without_default_values() -> None:
    assert (
        msgspec.json.encode(Presence(7, 1.5, joined=["ada"]))
        == b'{"type":"presence","seq":7,"at":1.5,"joined":["ada"]}'
    )


def test_default_lists_are_not_shared() -> None:
    Presence(1, 0.0).joined.append("ada")
    assert Presence(2, 0.0).joined == []


def test_default_limits() -> None:
    assert Limits() == Limits(line=4096, text=2000, lines=40, nick=24, burst=10, rate=2.0, join_timeout=10.0)


def test_models_and_dialects_are_their_names() -> None:
    assert [str(model) for model in Model] == ["process", "thread", "event"]
    assert [str(dialect) for dialect in DIALECTS] == ["plain", "rich", "web"]


@pytest.mark.parametrize("after", [-1, 2**53 + 1, 2**64, 10**30])
def test_resume_after_a_number_out_of_bounds_is_refused(after: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"token":"t","after":%d}' % after, type=Resume)


@pytest.mark.parametrize("id", ["", "x" * 65])
def test_identifier_has_1_to_64_characters(id: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(id, Identifier)


def test_events_have_docstrings() -> None:
    undocumented = {kind.__name__ for kind in EVENTS if kind.__doc__ in (None, Event.__doc__)}
    assert undocumented <= {"Pong"}


def test_defaults_of_hello_and_said() -> None:
    assert Hello("ada").dialect == RICH.name
    assert Said(1, "ada", "hi", 0.0).id == ""
