import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from protocol import plain_text
from protocol.commands import MEMBER_COMMANDS, OPERATOR_NAMES
from protocol.messages import (
    Chaos,
    ClearHistory,
    Command,
    Event,
    Goodbye,
    Hello,
    Kick,
    Limits,
    ModelSwitched,
    Notice,
    People,
    Pong,
    Presence,
    Quit,
    Refused,
    Rename,
    Rules,
    Said,
    Say,
    Status,
    StatusRequest,
    Switch,
    Welcome,
    Who,
)
from protocol.nicknames import NicknameRefused, check_nickname
from protocol.sanitize import sanitize
from tests.protocol.strategies import EVENTS, any_of, hostile_text, wire_bytes


def nickname(asked: str) -> str:
    try:
        return check_nickname(asked)
    except NicknameRefused:
        assume(False)
    raise AssertionError


nicks = st.sampled_from(["ada", "Zoë", "李雷", "7of9", "ада"]) | st.from_regex(r"\w{1,9}", fullmatch=True).map(nickname)
texts = hostile_text.map(lambda text: sanitize(text, lines=True))
imitations = st.sampled_from(["*** bob left", "bob: hi", "a\n*** bob left\nbob: hi", "\n*** ", "* bob waves", "```"])
saids = st.builds(
    Said, seq=st.integers(1, 9), nick=nicks, text=texts | imitations, at=st.just(0.0), action=st.booleans()
)


class TestDecoding:
    @given(st.binary() | wire_bytes)
    @example(b"/help")
    @example(b"/quit")
    def test_any_first_line_is_decoded_or_refused(self, line: bytes) -> None:
        hello = plain_text.decode_hello(line)
        assert isinstance(hello, Hello | Quit) or hello.code in ("bad-utf8", "help")

    @given(st.binary() | wire_bytes)
    def test_any_later_line_is_a_command_a_refusal_or_nothing(self, line: bytes) -> None:
        command = plain_text.decode_command(line)
        assert command is None or isinstance(command, Command | Refused)

    @given(texts.filter(lambda text: text.strip() and "\n" not in text))
    def test_text_without_a_slash_is_said_unchanged(self, text: str) -> None:
        assume(not text.startswith("/"))
        assert plain_text.decode_command(text.encode()) == Say("", text)

    @given(texts.filter(lambda text: "\n" not in text))
    def test_two_slashes_say_a_line_with_one(self, text: str) -> None:
        assert plain_text.decode_command(f"//{text}".encode()) == Say("", f"/{text}")

    @pytest.mark.parametrize(
        ("line", "command"),
        [
            (b"/who", Who(nameless=True)),
            (b"/WHO ", Who(nameless=True)),
            (b"/nick  bob ", Rename("bob")),
            (b"/me waves to all", Say("", "waves to all", action=True)),
            (b"/status", StatusRequest()),
            (b"/quit", Quit()),
            (b"/model thread", Switch("thread")),
            (b"/switch event", Switch("event")),
            (b"/kick ada that will do", Kick("ada", "that will do")),
            (b"/CLEAR-HISTORY", ClearHistory()),
            (b"/chaos block 1s ada", Chaos("block", "ada", 1.0)),
            (b"", None),
            (b" \t ", None),
            (b" hi", Say("", " hi")),
            ("caf\u00e9 \U0001f600".encode(), Say("", "café 😀")),
        ],
    )
    def test_line_is_decoded_to_the_command(self, line: bytes, command: Command | None) -> None:
        assert plain_text.decode_command(line) == command

    @pytest.mark.parametrize("line", [b"/nick", b"/me ", b"/model", b"/", b"/frob", b"/ "])
    def test_unknown_or_incomplete_command_is_refused(self, line: bytes) -> None:
        refused = plain_text.decode_command(line)
        assert isinstance(refused, Refused)
        assert refused.code == "bad-command"

    def test_mistake_in_an_operator_command_is_refused(self) -> None:
        told = {line: plain_text.decode_command(line) for line in (b"/ban ada 0", b"/kick")}
        assert [refused.reason for refused in told.values() if isinstance(refused, Refused)] == [
            "a ban lasts from a moment to 10,080 minutes, which is a week",
            "/kick takes a nickname, or #12 for a connection",
        ]

    @pytest.mark.parametrize("line", [b"\xff", b"hi \xc3", b"\xed\xa0\x80", b"/me \xff"])
    def test_bytes_that_are_not_utf8_are_refused(self, line: bytes) -> None:
        refused = plain_text.decode_command(line)
        assert isinstance(refused, Refused)
        assert refused.code == "bad-utf8"

    def test_help_lists_every_command(self) -> None:
        refused = plain_text.decode_command(b"/help")
        assert isinstance(refused, Refused)
        told = plain_text.encode(refused).decode()
        for usage, summary in [(command.usage, command.summary) for command in MEMBER_COMMANDS[1:]]:
            assert re.search(rf"^\*\*\*   {re.escape(usage)} +{re.escape(summary)}$", told, re.MULTILINE)
        assert "***   //TEXT" in told
        assert all(f"/{name}" in told for name in OPERATOR_NAMES)
        assert max(len(line) for line in told.splitlines()) < 80

    @given(st.text().filter(lambda text: text.strip().lower() not in ("/help", "/quit")).map(str.encode))
    def test_nickname_is_stripped(self, line: bytes) -> None:
        hello = plain_text.decode_hello(b"  " + line + b"\t")
        assert isinstance(hello, Hello)
        assert hello.nick == line.decode().strip()


class TestEncoding:
    @pytest.mark.parametrize(("pin", "lines"), [("", []), ("be kind", ["*** pinned: be kind"])])
    def test_welcome_has_the_pinned_line(self, pin: str, lines: list[str]) -> None:
        welcome = Welcome("ada", "t", 1, "event", 1, "event loop", Limits(), "n", rules=Rules(pin=pin))
        assert [line for line in plain_text.encode(welcome).decode().splitlines() if "pin" in line] == lines

    @given(saids)
    def test_each_line_of_a_said_begins_with_the_nickname(self, said: Said) -> None:
        start = f"* {said.nick} " if said.action else f"{said.nick}: "
        lines = plain_text.encode(said).decode().removesuffix("\n").split("\n")
        assert all(line.startswith(start) for line in lines)
        assert "\n".join(line.removeprefix(start) for line in lines) == said.text

    @given(saids)
    def test_no_text_can_imitate_the_room_or_a_member(self, said: Said) -> None:
        for line in plain_text.encode(said).decode().removesuffix("\n").split("\n"):
            assert not line.startswith("***")
            assert line.split(":")[0] == said.nick or line.startswith(f"* {said.nick} ")

    @given(st.one_of([any_of(kind, hostile_text.map(sanitize)) for kind in EVENTS if kind is not Welcome]))
    def test_lines_of_the_room_begin_with_three_stars(self, event: Event) -> None:
        assume(not isinstance(event, Said) and event != Refused("help", ""))
        told = plain_text.encode(event).decode()
        assert not told or told.endswith("\n")
        assert all(line.startswith("*** ") for line in told.split("\n")[:-1])

    @given(any_of(Welcome, hostile_text.map(sanitize)))
    def test_welcome_begins_with_the_greeting_of_the_talk(self, welcome: Event) -> None:
        assert plain_text.encode(welcome).startswith(b"Connected to chat server\n")

    @pytest.mark.parametrize(
        ("event", "told"),
        [
            (Said(1, "ada", "hi", 0.0), "ada: hi\n"),
            (Said(1, "ada", "a\n\nb", 0.0), "ada: a\nada: \nada: b\n"),
            (Said(1, "ada", "waves", 0.0, action=True), "* ada waves\n"),
            (Said(1, "ada", "*** bob left", 0.0), "ada: *** bob left\n"),
            (Presence(1, 0.0, ["ada"]), "*** ada joined\n"),
            (Presence(1, 0.0, ["ada", "bob"]), "*** ada and bob joined\n"),
            (Presence(1, 0.0, left=list("abcde")), "*** a, b, c, d and e left\n"),
            (Presence(1, 0.0, left=list("abcdef")), "*** a, b, c, d and 2 others left\n"),
            (
                Presence(1, 0.0, ["dan"], ["cleo"], [("ada", "bob")]),
                "*** cleo left\n*** ada is now bob\n*** dan joined\n",
            ),
            (
                ModelSwitched(1, 0.0, "thread", "event", 0.0414, 37),
                "*** now a thread each: 37 carried over in 41 ms\n",
            ),
            (Notice("back in\nfive"), "*** back in\n*** five\n"),
            (Refused("nickname-taken", "ada is taken", suggestion="ada2"), "*** ada is taken; ada2 is free\n"),
            (Goodbye("quit", "see you"), "*** goodbye: see you\n"),
            (People(1, ["ada", "bob"]), "*** 2 here: ada, bob\n"),
            (
                Status("event", 3, "event loop", 3, 1, 1, 2**20, 2048),
                "*** model event, 3 connected, you: event loop; 1 process, 1 thread, 1.0 MiB, 2 KiB a connection\n",
            ),
            (
                Status("process", 3, "process 7", 3, 4, 5, 2**20, 2048),
                "*** model process, 3 connected, you: process 7; 4 processes, 5 threads, 1.0 MiB, 2 KiB a connection\n",
            ),
            (Pong("1"), ""),
        ],
    )
    def test_event_is_encoded_as_text(self, event: Event, told: str) -> None:
        assert plain_text.encode(event).decode() == told

    def test_welcome_has_motd_nickname_and_history(self) -> None:
        welcome = Welcome(
            you="ada2",
            token="t",
            seq=7,
            model="event",
            connections=2,
            served_by="event loop",
            limits=Limits(),
            nonce="n",
            history=[Said(3, "bob", "hi", 0.0)],
            asked="ada",
            motd="Welcome.\nBe kind.",
            people=4,
        )
        assert plain_text.encode(welcome).decode().split("\n") == [
            "Connected to chat server",
            "*** Welcome.",
            "*** Be kind.",
            "*** ada is taken, so you are ada2; /nick NAME changes it",
            "*** the last 1 line, from before you came:",
            "bob: hi",
            "*** that was before; from here on it is live",
            "*** you are in the room, as ada2, with 3 others; /help lists the commands",
            "",
        ]
