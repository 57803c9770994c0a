import pytest

from tui.widgets.status_bar import Standing, draw

ONLINE = Standing("online", "thread", 37, "thread 17", 0.003, "192.0.2.7:2000")


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, "≋ thread   37 connected   you: thread 17   3 ms   192.0.2.7:2000"),
        (60, "≋ thread  37 connected  you: thread 17  3 ms  192.0.2.7:2000"),
        (59, "≋ thread  37 connected  you: thread 17  3 ms"),
        (40, "≋ thread  37 connected  you: thread 17"),
        (24, "≋ thread  37 connected"),
        (10, "≋ thread"),
    ],
)
def test_what_does_not_fit_is_left_out_from_the_end(width: int, shown: str) -> None:
    assert draw(ONLINE, width).plain == shown


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (78, "≋ thread   37 connected   you: thread 17   3 ms   192.0.2.7:2000       f1 help"),
        (73, "≋ thread   37 connected   you: thread 17   3 ms   192.0.2.7:2000  f1 help"),
        (69, "≋ thread  37 connected  you: thread 17  3 ms  192.0.2.7:2000  f1 help"),
        (68, "≋ thread  37 connected  you: thread 17  3 ms                 f1 help"),
        (53, "≋ thread  37 connected  you: thread 17  3 ms  f1 help"),
        (52, "≋ thread  37 connected  you: thread 17  3 ms"),
        (24, "≋ thread  37 connected"),
    ],
)
def test_the_key_to_help_goes_before_the_address_where_there_is_room_for_one_of_them(width: int, shown: str) -> None:
    assert draw(ONLINE, width, with_help=True).plain == shown


def test_without_a_connection_nothing_is_guessed() -> None:
    lost = Standing("waiting", "thread", 37, "thread 17", 0.003, "192.0.2.7:2000")
    assert draw(lost, 80).plain == "○ not connected   192.0.2.7:2000"


def test_a_model_of_a_newer_server_is_told_by_name() -> None:
    assert draw(Standing("online", "coroutine", 2), 80).plain.startswith("◌ coroutine   2 connected")
