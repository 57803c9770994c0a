"""The completions of Tab."""

import pytest

from protocol.messages import Presence, Said
from tui.commands.completion import MAX_COMPLETIONS, Completion, RecentSpeakers, complete

PEOPLE = ("ada", "Adam", "bob", "李雷", "Zoë", "me.myself")


def offered(
    text: str, *speakers: str, cursor: int | None = None, operator: bool = False, screen: bool = False
) -> list[str]:
    """The whole line after each of the completions."""
    cursor = len(text) if cursor is None else cursor
    found = complete(text, cursor, people=PEOPLE, speakers=speakers, me="me.myself", operator=operator, screen=screen)
    return [text[: one.start] + one.text + text[cursor:] for one in found]


def test_nickname_at_the_start_gets_a_colon() -> None:
    assert offered("b") == ["bob: "]


def test_a_nickname_later_in_the_line_is_followed_by_a_blank() -> None:
    assert offered("hello b") == ["hello bob "]
    assert offered("hello @b") == ["hello @bob "]
    assert offered("@b") == ["@bob "]


def test_latest_speaker_comes_first_and_the_silent_last() -> None:
    assert offered("a") == ["ada: ", "Adam: "]
    assert offered("a", "Adam", "ada") == ["Adam: ", "ada: "]
    assert offered("a", "gone", "Adam") == ["Adam: ", "ada: "]


def test_case_does_not_matter_and_other_scripts_do_not_either() -> None:
    assert offered("ZO") == ["Zoë: "]
    assert offered("李") == ["李雷: "]


def test_i_am_not_offered_to_myself() -> None:
    assert offered("me") == []


def test_nothing_is_offered_for_nothing() -> None:
    assert offered("") == []
    assert offered("hello ") == []


def test_at_sign_alone_offers_all_other_people() -> None:
    assert len(offered("@")) == len(PEOPLE) - 1


def test_what_stands_behind_the_cursor_stays() -> None:
    assert offered("b, hello", cursor=1) == ["bob: , hello"]


def test_a_nickname_in_a_later_line_is_found() -> None:
    assert offered("first\nb") == ["first\nbob "]


def test_a_slash_begins_a_command() -> None:
    assert offered("/w") == ["/who ", "/where "]
    assert "/me " in offered("/")
    assert offered("/WH") == ["/who ", "/where "]


@pytest.mark.parametrize("text", ["//w", "say /w", "/who\n/w"])
def test_a_slash_elsewhere_does_not(text: str) -> None:
    assert offered(text) == []


def test_orders_are_offered_to_operators_only() -> None:
    assert offered("/mod") == []
    assert offered("/mod", operator=True) == ["/model "]
    assert offered("/model t", operator=True) == ["/model thread"]
    assert offered("/kick b", operator=True) == ["/kick bob "]


def test_what_only_the_screen_can_do_is_not_offered_in_line_mode() -> None:
    assert offered("/find") == []
    assert offered("/find", screen=True) == ["/find "]


def test_chaos_strikes_somebody_at_random_as_well() -> None:
    found = complete("/chaos raise r", 14, people=["radia"], speakers=[], me="ada", operator=True)
    assert found == [Completion(13, "radia "), Completion(13, "random ")]
    assert complete("/kick ran", 9, people=["radia"], speakers=[], me="ada", operator=True) == []


def test_no_more_are_offered_than_anybody_reads() -> None:
    people = [f"user{number}" for number in range(1000)]
    found = complete("u", 1, people=people, speakers=[], me="ada")
    assert len(found) == MAX_COMPLETIONS
    assert found[0] == Completion(0, "user0: ")


def test_signs_of_patterns_are_letters_like_others() -> None:
    assert complete("me.", 3, people=["me.myself", "mexico"], speakers=[], me="") == [Completion(0, "me.myself: ")]
    assert offered("[a-z]*\\") == []


def said(nick: str) -> Said:
    return Said(1, nick, "text", 0.0)


def test_speakers_are_known_by_their_new_names() -> None:
    speakers = RecentSpeakers()
    speakers.record([said("ada"), said("bob"), said("ada"), Presence(2, 0.0, renamed=[("bob", "rob"), ("x", "y")])])
    assert speakers.latest_first == ["ada", "rob"]


def test_exchanged_names_are_not_confused() -> None:
    speakers = RecentSpeakers()
    speakers.record([said("ada"), said("bob"), Presence(2, 0.0, renamed=[("bob", "ada"), ("ada", "bob")])])
    assert speakers.latest_first == ["ada", "bob"]


def test_speakers_are_bounded() -> None:
    speakers = RecentSpeakers()
    speakers.record([said(f"user{number}") for number in range(2 * RecentSpeakers.MAX_SPEAKERS)])
    assert len(speakers.latest_first) == RecentSpeakers.MAX_SPEAKERS
    assert speakers.latest_first[0] == f"user{2 * RecentSpeakers.MAX_SPEAKERS - 1}"


def test_complete_in_either_form_of_a_letter_offers_the_nickname() -> None:
    assert offered("Zoe\u0308") == ["Zo\u00eb: "]
