"""Text from an untrusted server, sanitized and shortened for a report. Pure."""

from collections import Counter

from protocol.sanitize import sanitize

MAX_MODEL_CHARACTERS, MAX_REASON_CHARACTERS = 20, 250
"""Characters kept of a model's name and of a reason."""
MAX_REASONS = 20
OTHER_REASONS = "other reasons"


def sanitized(text: str, most: int = MAX_REASON_CHARACTERS) -> str:
    """The first `most` characters, on one line, without control sequences."""
    return sanitize(text[:most])


def count_reason(reasons: Counter[str], reason: str) -> None:
    """Count a reason. After MAX_REASONS different ones, all others are counted together."""
    reasons[reason if reason in reasons or len(reasons) < MAX_REASONS else OTHER_REASONS] += 1
