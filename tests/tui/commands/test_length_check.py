import pytest

from protocol import json_lines
from protocol.messages import Limits, Say
from tui.commands.length_check import Fit, fit

LIMITS = Limits()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x" * 2_001, Fit(2_001, 2_000, "characters")),
        ("x\n" * 40, Fit(41, 40, "lines")),
        ("李" * 1_400, Fit(len(json_lines.encode(Say("x" * 16, "李" * 1_400))) - 1, 4_096, "bytes")),
    ],
)
def test_the_limit_that_is_used_most_is_told(text: str, told: Fit) -> None:
    assert fit(text, LIMITS) == told
    assert told.over
    assert told.near
    assert f"{told.used:,} {told.unit}, and {told.allowed:,} are allowed" in told.sentence


def test_a_line_that_just_fits_fits() -> None:
    assert not fit("x" * 2_000, LIMITS).over
    assert not fit("\n" * 39, LIMITS).over
    assert not fit("hello", LIMITS).near
