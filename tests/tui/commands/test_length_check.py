import pytest

from protocol import json_lines
from protocol.messages import Limits, Say
from tui.commands.length_check import LengthCheck, check_length

LIMITS = Limits()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x" * 2_001, LengthCheck(2_001, 2_000, "characters")),
        ("x\n" * 40, LengthCheck(41, 40, "lines")),
        ("李" * 1_400, LengthCheck(len(json_lines.encode(Say("x" * 16, "李" * 1_400))) - 1, 4_096, "bytes")),
    ],
)
def test_the_limit_that_is_used_most_is_told(text: str, told: LengthCheck) -> None:
    assert check_length(text, LIMITS) == told
    assert told.is_too_long
    assert told.is_near_limit
    assert f"{told.used:,} {told.unit}, and {told.allowed:,} are allowed" in told.sentence


def test_a_line_that_just_fits_fits() -> None:
    assert not check_length("x" * 2_000, LIMITS).is_too_long
    assert not check_length("\n" * 39, LIMITS).is_too_long
    assert not check_length("hello", LIMITS).is_near_limit
