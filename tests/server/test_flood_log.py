from server.flood_log import MAX_KINDS, MAX_NAMED, FloodLog


def test_the_first_is_told_at_once_and_then_a_line_a_minute() -> None:
    lines: list[str] = []
    log = FloodLog(lines.append)
    for second in range(121):
        for _ in range(100):
            log.count("line not said", "192.0.2.7", 1000.0 + second)
    assert lines == [
        "flood: 1 line not said from 192.0.2.7",
        "flood: 6,000 lines not said from 192.0.2.7",
        "flood: 6,000 lines not said from 192.0.2.7",
    ]


def test_kinds_and_addresses_are_in_one_line() -> None:
    lines: list[str] = []
    log = FloodLog(lines.append)
    log.count("proof refused", "192.0.2.1", 0.0)
    for number in range(MAX_NAMED + 2):
        log.count("proof refused", f"192.0.2.{number}", 1.0)
    for _ in range(1500):
        log.count("connection turned away", "192.0.2.0", 1.0)
    log.flush(59.9)
    assert len(lines) == 1
    log.flush(60.0)
    assert lines[1].startswith("flood: 1,500 connections turned away, 1 proof refused from 192.0.2.0; ")
    assert lines[1].endswith("; and from 2 other addresses")


def test_nothing_is_told_where_nothing_happened() -> None:
    lines: list[str] = []
    FloodLog(lines.append).flush(1e9)
    assert lines == []


def test_a_clock_set_back_silences_nothing_for_long() -> None:
    lines: list[str] = []
    log = FloodLog(lines.append)
    log.count("proof refused", "192.0.2.1", 1e9)
    log.count("proof refused", "192.0.2.1", 100.0)
    assert len(lines) == 2


def test_what_is_counted_is_bounded() -> None:
    lines: list[str] = []
    log = FloodLog(lines.append)
    for number in range(2 * MAX_KINDS):
        log.count("proof refused", f"{number}", 0.0)
    assert len(log._counts) <= MAX_KINDS


def test_what_is_allowed_is_no_flood() -> None:
    lines: list[str] = []
    log = FloodLog(lines.append)
    assert [log.count("proof refused", "192.0.2.1", 0.0, allowed=2) for _ in range(4)] == [False, False, True, True]
    assert not log.count("proof refused", "192.0.2.1", 61.0, allowed=2)
    assert lines == ["flood: 1 proof refused from 192.0.2.1"]
