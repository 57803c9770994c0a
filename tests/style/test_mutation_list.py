"""`make mutants` takes long and runs seldom, so its list is checked with the other tests."""

from pathlib import Path

from tests.mutation_list import MUTATIONS


def test_text_of_each_mutation_stands_once_in_its_file(root: Path) -> None:
    """If a change removes such a text, another mutation takes its place."""
    assert [str(one) for one in MUTATIONS if (root / one.file).read_text().count(one.old) != 1] == []
