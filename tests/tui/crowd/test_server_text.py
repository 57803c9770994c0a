"""Text of a server in the crowd's report."""

from collections import Counter

from tui.crowd.server_text import MAX_REASON_CHARACTERS, MAX_REASONS, OTHER_REASONS, count_reason, sanitized


def test_sanitized_keeps_no_control_sequence_and_is_short() -> None:
    assert sanitized("\x1b[2Jbye\n\u202e") == "␛[2Jbye␤"
    assert len(sanitized("x" * 10**6)) == MAX_REASON_CHARACTERS


def test_count_reason_of_many_different_ones_is_bounded() -> None:
    reasons: Counter[str] = Counter()
    for number in range(1000):
        count_reason(reasons, f"reason {number}")
        count_reason(reasons, "reason 0")
    assert len(reasons) == MAX_REASONS + 1
    assert reasons["reason 0"] == 1001
    assert reasons[OTHER_REASONS] == 1000 - MAX_REASONS
