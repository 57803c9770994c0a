import re

import pytest
from rich.cells import cell_len

from tui.widgets.status_bar import StatusBarState, draw

ONLINE = StatusBarState("online", "thread", 37, "thread 17", 0.003, "192.0.2.7:2000")


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, "≋ thread   37 connected   you: thread 17   ping 3 ms   192.0.2.7:2000"),
        (65, "≋ thread  37 connected  you: thread 17  ping 3 ms  192.0.2.7:2000"),
        (64, "≋ thread  37 connected  you: thread 17  ping 3 ms"),
        (40, "≋ thread  37 connected  you: thread 17"),
        (24, "≋ thread  37 connected"),
        (10, "≋ thread"),
    ],
)
def test_parts_that_do_not_fit_are_left_out_from_the_end(width: int, shown: str) -> None:
    assert draw(ONLINE, width).plain == shown


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (83, "≋ thread   37 connected   you: thread 17   ping 3 ms   192.0.2.7:2000       f1 help"),
        (78, "≋ thread   37 connected   you: thread 17   ping 3 ms   192.0.2.7:2000  f1 help"),
        (74, "≋ thread  37 connected  you: thread 17  ping 3 ms  192.0.2.7:2000  f1 help"),
        (73, "≋ thread  37 connected  you: thread 17  ping 3 ms                 f1 help"),
        (58, "≋ thread  37 connected  you: thread 17  ping 3 ms  f1 help"),
        (57, "≋ thread  37 connected  you: thread 17            f1 help"),
        (47, "≋ thread  37 connected  you: thread 17  f1 help"),
        (46, "≋ thread  37 connected  you: thread 17"),
        (24, "≋ thread  37 connected"),
    ],
)
def test_help_key_is_more_important_than_the_address(width: int, shown: str) -> None:
    assert draw(ONLINE, width, with_help=True).plain == shown


def test_without_a_connection_nothing_is_guessed() -> None:
    lost = StatusBarState("waiting", "thread", 37, "thread 17", 0.003, "192.0.2.7:2000")
    assert draw(lost, 80).plain == "○ not connected   192.0.2.7:2000"


def test_a_model_of_a_newer_server_is_told_by_name() -> None:
    assert draw(StatusBarState("online", "coroutine", 2), 80).plain.startswith("◌ coroutine   2 connected")


@pytest.mark.parametrize("width", range(20, 201))
def test_bar_of_any_width_is_one_row_of_whole_parts(width: int) -> None:
    """No row ends with what parts two parts, and a ping never stands unnamed."""
    standings = (
        ONLINE,
        StatusBarState("online", "process", 12_345, "process 4321987", 1.25, "[2001:db8::1234:5678]:20001"),
        StatusBarState("over", address="a-rather-long-name.example.org:2000"),
    )
    for drawn in (draw(one, width, with_help=narrow).plain for one in standings for narrow in (False, True)):
        assert cell_len(drawn) <= width
        assert drawn == drawn.strip()
        parts = re.split(" {2,}", drawn)
        assert all(part.startswith("ping ") for part in parts if part.endswith((" ms", " s")))
        assert "…" not in drawn
