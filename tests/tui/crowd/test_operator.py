"""The operator of the crowd takes the models in all directions."""

from itertools import permutations

from protocol.messages import Model
from tui.crowd.operator import DirectionChooser


def test_six_switches_take_all_six_directions() -> None:
    directions = DirectionChooser()
    model, taken = Model.EVENT, []
    for _ in range(6):
        before, model = model, directions.next(model)
        taken.append((before, model))

    assert sorted(taken) == sorted(permutations(Model, 2))
