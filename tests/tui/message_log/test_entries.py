import math
import sys
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.client import Gap
from protocol.messages import ModelSwitched, Notice, Said
from protocol.sanitize import sanitize
from tests.pace import is_within
from tui.message_log import entries
from tui.message_log.entries import MAX_TEXT, MAX_TIME_S, Entry, Flag, Kind, links


def line(text: str, nick: str = "bob", action: bool = False, at: float = 1e9) -> Said:
    return Said(1, nick, text, at, action=action)


def test_said_entry_has_the_nickname_and_the_time() -> None:
    assert entries.said_entry(line("hello")) == Entry(Kind.SAID, "hello", "bob", 1e9)


def test_an_action_begins_with_the_name() -> None:
    assert entries.said_entry(line("waves", action=True)) == Entry(Kind.ACTION, "bob waves", "bob", 1e9)


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\x07b", "\u202eevil", "\x9b2J", "a\u200bb", "\ud800"])
def test_entries_keep_no_control_character(text: str) -> None:
    made = [
        entries.said_entry(line(text, nick=text)),
        entries.notice_entry(Notice(text)),
        entries.switch_entry(ModelSwitched(1, 1.0, text, "event", 0.1, 3)),
    ]
    for entry in made:
        assert sanitize(entry.text, lines=True) == entry.text
        assert sanitize(entry.nick) == entry.nick


def test_fast_check_agrees_with_sanitize() -> None:
    for code in range(sys.maxunicode + 1):
        if entries._plainly_harmless(chr(code)):
            assert sanitize("a" + chr(code), lines=True) == "a" + chr(code)


def test_a_nickname_is_never_empty_nor_on_two_lines() -> None:
    assert entries.said_entry(line("x", nick="")).nick == "?"
    assert entries.said_entry(line("x", nick=" \u200b ")).nick == "?"
    assert "\n" not in entries.said_entry(line("x", nick="a\nb")).nick


def test_a_huge_text_is_cut() -> None:
    assert len(entries.said_entry(line("🎉" * 200_000)).text) == MAX_TEXT


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf, -1.0, MAX_TIME_S + 1, 1e300])
def test_a_time_that_no_calendar_knows_is_no_time(at: float) -> None:
    assert entries.said_entry(line("x", at=at)).at == 0.0
    assert entries.notice_entry(Notice("x", at=at)).at == 0.0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ada: hello", True),
        ("hello @Ada!", True),
        ("ADA", True),
        ("so says ada.", True),
        ("adamant", False),
        ("canada", False),
        ("ada-lovelace", False),
        ("ada.example.org", False),
        ("nobody", False),
        ("", False),
    ],
)
def test_a_mention_is_the_nickname_as_a_word_of_its_own(text: str, named: bool) -> None:
    assert entries.mentions(text, "ada") is named
    assert bool(entries.said_entry(line(text), me="ada").flags & Flag.MENTION) is named


def test_nickname_with_pattern_characters_is_literal() -> None:
    assert entries.mentions("hi a.b", "a.b")
    assert not entries.mentions("hi axb", "a.b")


def test_own_line_is_no_mention() -> None:
    assert entries.said_entry(line("I, bob, say"), me="bob").flags == Flag.OWN


def test_empty_nickname_is_never_mentioned() -> None:
    assert not entries.mentions("anything", "")


def test_switch_entry_names_the_running_model() -> None:
    entry = entries.switch_entry(ModelSwitched(4, 1e9, "thread", "process", 0.0412, 37))
    assert (entry.nick, entry.text) == ("thread", "now a thread each: 37 carried over in 41 ms")
    unknown = entries.switch_entry(ModelSwitched(4, 1e9, "actor", "process", math.inf, 37))
    assert unknown.text == "now run by actor: 37 carried over in 0 ms"


@pytest.mark.parametrize(
    ("missed", "words"), [(None, "does not know you"), (1, "1 thing that"), (1234, "1,234 things that")]
)
def test_a_gap_is_said_openly(missed: int | None, words: str) -> None:
    assert words in entries.gap_entry(Gap(missed)).text


def test_a_line_takes_less_than_a_kilobyte() -> None:
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = [entries.said_entry(line("x" * 60 + str(index), nick=f"nick{index % 50}")) for index in range(5_000)]
        assert (tracemalloc.get_traced_memory()[0] - before) / len(kept) < 400
    finally:
        tracemalloc.stop()


DECOMPOSED = "Rene\u0301"


def test_mention_in_either_form_of_a_letter_is_one() -> None:
    assert entries.mentions(f"hello {DECOMPOSED}", "Ren\u00e9")
    assert entries.mentions("hello Ren\u00e9!", DECOMPOSED)


def test_text_in_either_form_of_a_letter_is_kept_the_same() -> None:
    assert entries.clean(f"{DECOMPOSED} is here") == "Ren\u00e9 is here"


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://example.org/x?y=1#z now", ["https://example.org/x?y=1#z"]),
        ("http://a.example, https://b.example.", ["http://a.example", "https://b.example"]),
        ("(https://example.org/a_(b))", ["https://example.org/a_(b)"]),
        ("<https://example.org>", ["https://example.org"]),
        ('"https://example.org/"', ["https://example.org/"]),
        ("HTTPS://EXAMPLE.ORG", ["HTTPS://EXAMPLE.ORG"]),
        ("ftp://example.org javascript:alert(1) file:///etc/passwd", []),
        ("https:// http://", []),
        ("xhttps://example.org", []),
        ("nothing", []),
        ("[@click=app.exit]https://example.org[/]", ["https://example.org"]),
        ("https://example.org/" + "x" * 3000, []),
    ],
)
def test_links_are_web_addresses_without_punctuation(text: str, urls: list[str]) -> None:
    assert [link.url for link in links(text)] == urls


@given(st.text(max_size=200).map(lambda text: f"http://{text} https://{text}"))
def test_link_range_is_its_address(text: str) -> None:
    for start, end, url in links(text):
        assert text[start:end] == url
        assert url.lower().startswith(("http://", "https://"))
        assert not any(char.isspace() for char in url)


def test_many_brackets_do_not_take_long() -> None:
    began = time.perf_counter()
    links("https://x" + ")" * 64_000)
    links("https://" * 8_000)
    assert is_within(time.perf_counter() - began, 1.0)
