import time

from server.meter import CPU_OVER, Meter


def burn(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_who_asks_again_at_once_is_told_the_same_processor_time_and_not_none() -> None:
    meter = Meter()
    meter([0])
    began = time.monotonic()
    burn(CPU_OVER + 0.1)
    first = meter([0]).cpu
    passed = time.monotonic() - began
    assert first > (CPU_OVER + 0.1) / passed * 0.7
    assert meter([0]).cpu == first


def test_the_processor_time_is_of_the_time_since_it_was_last_told() -> None:
    meter = Meter()
    meter([0])
    burn(CPU_OVER + 0.05)
    busy = meter([0]).cpu
    time.sleep(CPU_OVER + 0.05)  # Idle: that is what is measured.
    assert meter([0]).cpu < busy / 4
