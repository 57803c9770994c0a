"""A report of the crowd, for tests of its tables and plots."""

from tui.crowd.measurements import Sample, SwitchMeasurement
from tui.crowd.report import Report, Violations


def a_report(*, samples: int = 20) -> Report:
    """A report of ten seconds with twenty members, two switches and a lost line."""
    return Report(
        people=20,
        talk=5.0,
        seconds=10.0,
        joined_in=0.5,
        said=50,
        refused=0,
        deliveries=25_000,
        p50=0.002,
        p99=0.009,
        p999=0.021,
        longest=0.3,
        reconnects=3,
        endings={"the network reset it": 3},
        absent=0,
        reported_gaps=0,
        violations=Violations(1, 0, 0, []),
        switches=[
            SwitchMeasurement(3.0, "event", "process", 0.4, 20, 0.412, 0.4, 0),
            SwitchMeasurement(6.0, "process", "thread", 0.1, 20, 0.112, 0.1, 1),
        ],
        switches_failed=0,
        no_operator="",
        samples=[Sample(number * 0.5, 25, 0.002, 0.009, 0.02 + 0.01 * number) for number in range(samples)],
    )
