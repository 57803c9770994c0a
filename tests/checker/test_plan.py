"""The plan of the nemesis is the same for the same seed, and has all kinds of disturbances."""

from tests.checker.plan import Kind, plan


def test_the_same_seed_plans_the_same() -> None:
    assert plan(3, 60, tuple(Kind), 0.5) == plan(3, 60, tuple(Kind), 0.5)
    assert plan(3, 60, tuple(Kind), 0.5) != plan(4, 60, tuple(Kind), 0.5)


def test_everything_is_done_within_a_minute_and_switches_most() -> None:
    kinds = [step.kind for step in plan(3, 60, tuple(Kind), 0.5)]

    assert set(kinds) == set(Kind)
    assert max(Kind, key=kinds.count) is Kind.SWITCH


def test_plan_has_only_the_given_kinds_in_time() -> None:
    steps = plan(3, 10, (Kind.CUT, Kind.FLOOD), 0.5)

    assert {step.kind for step in steps} == {Kind.CUT, Kind.FLOOD}
    assert all(0 < step.at < 10 for step in steps)
    assert 12 < len(steps) < 30
