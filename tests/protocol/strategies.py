"""Strategies for input from a peer: difficult text and bytes, messages of each kind, and all ways to cut a stream."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec
from hypothesis import strategies as st
from msgspec import Struct
from msgspec import inspect as kinds

from protocol import json_lines
from protocol.messages import Command, Event

_T = TypeVar("_T", bound=Struct)

INVISIBLE = [
    *range(0x00AD, 0x00AE), *range(0x034F, 0x0350), *range(0x061C, 0x061D), *range(0x115F, 0x1161),
    *range(0x17B4, 0x17B6), *range(0x180B, 0x1810), *range(0x200B, 0x2010), *range(0x202A, 0x202F),
    *range(0x2060, 0x2070), *range(0x3164, 0x3165), *range(0xFE00, 0xFE10), *range(0xFEFF, 0xFF00),
    *range(0xFFA0, 0xFFA1), *range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B),
    *range(0xE0000, 0xE1000),
]  # fmt: skip
"""Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt: a terminal shows nothing for them."""
BIDI = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""Bidi_Control of Unicode's PropList.txt."""
CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
"""C0, DEL and C1."""
SURROGATES = [0xD800, 0xDBFF, 0xDC00, 0xDFFF]
MARKS = [0x0300, 0x0301, 0x0327, 0x0489, 0x05B0, 0x0E31, 0x20DD]
LINE_ENDS = [0x0A, 0x0D, 0x0B, 0x0C, 0x1C, 0x85, 0x2028, 0x2029]
SPACES = [0x20, 0xA0, 0x1680, 0x2000, 0x2003, 0x202F, 0x3000, 0x2800]
WORTH_A_TRY = [*INVISIBLE[:90], 0xE0001, 0xE0041, 0xE01EF, *BIDI, *CONTROLS, *SURROGATES, *MARKS, *LINE_ENDS, *SPACES]

_nasty = st.sampled_from(WORTH_A_TRY).map(chr)
hostile_text = st.text(st.one_of(st.characters(), _nasty, st.sampled_from("aZ0é*/ <[:")), max_size=30)
"""Any text, with surrogates, in which harmful characters are frequent."""
sendable_text = hostile_text.map(lambda text: text.encode(errors="ignore").decode())
"""The same without surrogates, so that UTF-8 can encode it."""


def any_of(kind: type[Struct], text: st.SearchStrategy[str]) -> st.SearchStrategy[Struct]:
    """Any value of a message type, with `text` in each field that is a string, so that new fields are included."""
    return _strategy(kinds.type_info(kind), text)


def _strategy(info: kinds.Type, text: st.SearchStrategy[str]) -> st.SearchStrategy:
    match info:
        case kinds.StrType(min_length=least, max_length=most):
            return text.filter(lambda value: (least or 0) <= len(value) <= (most or 10**6))
        case kinds.IntType(ge=least, le=most):
            return st.integers(least or 0, most or 2**53)
        case kinds.FloatType(ge=least, gt=above, le=most):
            return st.floats(least or above or 0, most or 2**40, exclude_min=above is not None, allow_nan=False)
        case kinds.BoolType():
            return st.booleans()
        case kinds.NoneType():
            return st.none()
        case kinds.EnumType(cls=enum):
            return st.sampled_from(list(enum))
        case kinds.ListType(item_type=item):
            return st.lists(_strategy(item, text), max_size=3)
        case kinds.TupleType(item_types=items):
            return st.tuples(*(_strategy(item, text) for item in items))
        case kinds.UnionType(types=types):
            return st.one_of([_strategy(each, text) for each in types])
        case kinds.StructType(cls=struct, fields=fields):
            values = {field.name: _strategy(field.type, text) for field in fields}
            if "id" in values:
                values["id"] = st.sampled_from(["1", "2", "a b"]) | values["id"]  # The room takes few others.
            return st.builds(struct, **values)
    raise NotImplementedError(info)


def _all(base: type[Struct]) -> list[type[Struct]]:
    """The message classes below this base, without intermediate bases."""
    below = base.__subclasses__()
    return [kind for each in below for kind in _all(each)] if below else [base]


COMMANDS, EVENTS = _all(Command), _all(Event)
commands = st.one_of([any_of(kind, sendable_text) for kind in COMMANDS])
events = st.one_of([any_of(kind, sendable_text) for kind in EVENTS])

_ODD = [
    b"{", b"}", b"{}", b"[]", b"null", b'{"type":"frob"}', b'{"type":"say"}', b'{"type":"say","id":1,"text":"x"}',
    b'{"type":"hello"', b'{"type":"hello","nick":"ada"}', b'{"type":"say","id":"1","text":"hi"}', b'{"type":"quit"}',
    b"ada", b"hi there", b"/who", b"/nick bob", b"/me waves", b"/quit", b"//", b"/", b"/frob", b"/help",
    b"*** bob left", b"", b" ", b"\r", b"\r\n", b"\0", b"\x1b[2J", b"\x7f", b"\xc2\x9b", b"\xe2\x80\xa8", b"\xc2\x85",
    b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", "Zoë 李雷 😀".encode(),
    b"GET / HTTP/1.1", b"\x16\x03\x01\x02\x00", b"SSH-2.0-OpenSSH_9.9", b"x" * 130, b"\xff\xfb\x01\xff\xfd\x03",
]  # fmt: skip
wire_bytes = st.lists(
    st.one_of(
        st.sampled_from(_ODD),
        st.just(b"\n"),
        st.just(b"\n"),
        st.binary(max_size=12),
        sendable_text.map(str.encode),
        commands.map(json_lines.encode),
    ),
    max_size=25,
).map(b"".join)
"""Bytes that a socket may receive: whole commands, halves of them, other protocols, and noise."""


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """All of `data`, cut at those of these places that are inside it."""
    inside = sorted({place for place in places if 0 < place < len(data)})
    return [data[start:stop] for start, stop in zip([0, *inside], [*inside, len(data)], strict=True) if start < stop]


def ways_to_cut(data: bytes, places: Iterable[int]) -> Iterator[list[bytes]]:
    """`data` as a whole, one byte at a time, and cut at these places."""
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    yield cut(data, places)


places = st.lists(st.integers(1, 600), max_size=8)


def strings_in(value: object) -> Iterator[tuple[str, str]]:
    """Each string in a message, at any depth, with the name of its field."""
    yield from _strings(value, "")


def _strings(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item, name)
    elif isinstance(value, Struct):
        for field in value.__struct_fields__:
            yield from _strings(getattr(value, field), field)


def copied(value: _T) -> _T:
    """A deep copy of a struct."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=type(value))
