from tui.console.once import REMEMBERED, Once


def test_what_log_and_room_tell_is_shown_once_whichever_is_first() -> None:
    once = Once()
    assert once.is_new("log", "ada locked the room")
    assert not once.is_new("room", "ada locked the room")
    assert once.is_new("room", "ada unlocked the room")
    assert not once.is_new("log", "ada unlocked the room")


def test_what_is_done_twice_is_shown_twice() -> None:
    once = Once()
    shown = [once.is_new(source, "ada locked the room") for source in ("log", "log", "room", "room")]
    assert shown == [True, True, False, False]


def test_what_one_of_them_tells_twice_is_shown_twice() -> None:
    once = Once()
    assert once.is_new("room", "hear, hear")
    assert once.is_new("room", "hear, hear")


def test_it_is_bounded() -> None:
    once = Once()
    for number in range(REMEMBERED + 1):
        once.is_new("log", str(number))
    assert once.is_new("room", "0")
    assert not once.is_new("room", str(REMEMBERED))
