from tui.message_log.entries import Entry, Kind
from tui.message_log.search import Search

TEXTS = ["A thread", "nothing", "threads and Threads", "a process", "THREAD"]


def searched(words: str) -> Search:
    search = Search(words)
    for serial, text in enumerate(TEXTS):
        search.check(serial + 100, Entry(Kind.SAID, text))
    return search


def test_entries_are_found_in_any_case() -> None:
    assert len(searched("thread")) == 3
    assert len(searched("THREAD")) == 3
    assert len(searched("xyz")) == 0


def test_search_for_a_pattern_is_literal() -> None:
    assert len(searched(".*")) == 0
    assert Search("[/x]").spans("a [/x] b") == [(2, 6)]


def test_spans_has_all_occurrences() -> None:
    assert searched("thread").spans("threads and Threads") == [(0, 6), (12, 18)]


def test_the_search_begins_at_the_nearest_match_above() -> None:
    assert searched("thread").start_at(103) == 102
    assert searched("thread").start_at(104) == 104
    assert searched("thread").start_at(50) == 100
    assert searched("xyz").start_at(103) is None


def test_search_finds_lines_by_their_nickname() -> None:
    search = Search("cleo")
    for serial, entry in enumerate([Entry(Kind.SAID, "hello", "Cleo"), Entry(Kind.SWITCH, "now", "cleo")]):
        search.check(serial, entry)
    assert len(search) == 1


def test_it_tells_which_match_the_reader_is_at() -> None:
    search = searched("thread")
    assert search.position == 0
    search.start_at(103)
    assert (search.position, len(search)) == (2, 3)
    search.next()
    assert search.position == 3


def test_next_and_previous_go_round() -> None:
    search = searched("thread")
    search.start_at(104)
    assert [search.previous() for _ in range(4)] == [102, 100, 104, 102]
    assert [search.next() for _ in range(3)] == [104, 100, 102]
    assert search.current == 102


def test_nothing_found_leads_nowhere() -> None:
    search = searched("xyz")
    assert (search.next(), search.previous(), search.current) == (None, None, None)


def test_new_entries_are_found_and_the_last_may_change() -> None:
    search = searched("joined")
    search.check(105, Entry(Kind.CROWD, "ada joined"))
    search.check(105, Entry(Kind.CROWD, "ada and bob joined"))
    assert len(search) == 1
    search.check(105, Entry(Kind.CROWD, "ada came and went"))
    assert len(search) == 0


def test_entries_that_fell_off_are_forgotten() -> None:
    search = searched("thread")
    search.start_at(100)
    search.forget(101)
    assert len(search) == 2
    assert search.previous() == 104


def test_search_in_either_form_of_a_letter_finds_it() -> None:
    search = Search("cafe\u0301")
    search.check(1, Entry(Kind.SAID, "the caf\u00e9 is open"))
    assert len(search) == 1
