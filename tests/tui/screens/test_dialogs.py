"""The dialogs: the limits and the time that the paste dialog names."""

import pytest

from protocol.messages import Limits
from tui.screens.dialogs import paste_advice

MOST = "at most 40 lines and 2,000 characters"


@pytest.mark.parametrize(
    ("lines", "slow", "told"),
    [
        (12, 0.0, f"It is one message, said at once. One holds {MOST}."),
        (40, 2.5, f"It is one message; slow mode takes one every 2.5 s. One holds {MOST}."),
        (41, 0.0, f"Too long for one message, which holds {MOST}: 2 messages, no wait."),
        (401, 5.0, "11 messages; slow mode takes one every 5 s, about 50 s."),
        (600, 0.0, "15 messages, at 2 a second after the first 10, about 3 s."),
    ],
)
def test_advice_tells_limits_and_time(lines: int, slow: float, told: str) -> None:
    assert paste_advice("\n".join("x" * lines), Limits(), slow).endswith(told)


def test_advice_counts_characters_and_bytes_as_they_travel() -> None:
    assert ": 3 messages, no wait." in paste_advice("x" * 5_000, Limits(), 0)
    assert ": 2 messages, no wait." in paste_advice("李" * 2_000, Limits(), 0)
    assert "no wait" in paste_advice("x" * 500_000, Limits(rate=0), 0)
