"""The prose check finds each fault at its line, in all docstrings and comments, and in nothing else."""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.style.check_prose import find_faults, main


def check(folder: Path, source: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Check one file; returns what was printed, each fault as "LINE: TEXT"."""
    file = folder / "subject.py"
    file.write_text(dedent(source), encoding="utf-8")
    failed = main([str(file)])
    printed = capsys.readouterr().out.replace(f"{file}:", "").splitlines()
    assert failed == bool(printed)
    return printed


def lines_of(printed: list[str]) -> list[int]:
    return sorted(int(fault.split(":")[0]) for fault in printed if fault[0].isdigit() and ":" in fault)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Whoever reads this is closed.", ["Whoever"]),
        ("The client to whom it belongs.", ["whom"]),
        ("Whatever comes is sent.", ["Whatever"]),
        ("It is sent to nobody.", ["nobody"]),
        ("A line is sent to\neverybody.", ["everybody"]),
        ("Who is in the room is told.", ["Who"]),
        ("It is sent. What is left is kept.", ["What"]),
        ("It is sent (to all.) Who is gone is skipped.", ["Who"]),
        ("Two cases: Who is here is told.", ["Who"]),
        ("A summary\n\nWhat follows is a list.", ["What"]),
        ("A list:\n\n    - What is sent.", ["What"]),
        ("(Who is gone is skipped.)", ["Who"]),
        ("Who hears nobody?", ["nobody", "Who"]),
    ],
)
def test_find_faults_rejects(text: str, words: list[str]) -> None:
    faults = list(find_faults(text))

    assert [text[offset : offset + len(word)] for (offset, _), word in zip(faults, words, strict=True)] == words
    assert all(f'"{word}"' in fault for (_, fault), word in zip(faults, words, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "The client that reads this is closed.",
        "A member who is gone.",
        "The lines are what the client sent.",
        "The command `/who` lists `nobody`.",
        'The reply begins with "Who is here?"',
        "The reply is “nobody is here”.",
        "See `Room`. `Who` is a message.",
        "The property `nobody_is_dropped` holds, and nobody_is_dropped too.",
        "Somebody's line, anybody's name.",
    ],
)
def test_find_faults_accepts(text: str) -> None:
    assert list(find_faults(text)) == []


def test_docstrings_of_all_kinds_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = '''\
        """A module.

        Whoever."""
        LIMIT = 1
        """Whatever."""

        class Room:
            """
            Whom.
            """
            name: str
            """Nobody."""

            def tell(self):
                \'\'\'First.

                It is told to \\
                everybody.\'\'\'

            async def read(self):
                r"""A \\n. Who is it?"""
        '''
    assert lines_of(check(tmp_path, source, capsys)) == [3, 5, 9, 12, 18, 21]


def test_code_and_string_values_are_not_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = """\
        whoever = "whoever # whoever"
        assert whoever, 'Who # is it?'
        print(f"{whoever} nobody")
        """
    assert check(tmp_path, source, capsys) == []


def test_comments_are_read_as_blocks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence may go on in the next line of its block; a block ends at code, a gap, or another column."""
    source = """\
        # The room tells
        # What is a message, and the message
        # goes to everybody.

        # What is a sentence here.
        x = 1  # nobody
        # Who is a sentence here.
        y = 2  # the count of
               # What messages
        if y:
            # First.
            #
            # What comes second.
            pass
        """
    assert lines_of(check(tmp_path, source, capsys)) == [3, 5, 6, 7, 13]


def test_a_quotation_over_two_lines_keeps_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = '''\
        """It says "nobody
        and nobody", and `nobody
        else`, and whatever."""
        '''
    assert check(tmp_path, source, capsys)[0].startswith('3: "whatever"')


@pytest.mark.parametrize(("words", "fails"), [(999, True), (1000, False)])
def test_share_of_one_in_a_thousand_passes(
    words: int, fails: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = f'"""A member who {"spoke " * (words - 4)}`who`."""\n'

    printed = check(tmp_path, source, capsys)

    assert printed == (["1.00 words such as who and whose in 1,000 words of prose; at most 1"] if fails else [])


def test_all_packages_are_checked_by_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "server" / "room").mkdir(parents=True)
    (folder / "room.py").write_text("# whom\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "copy.py").write_text("# whom\n")
    monkeypatch.chdir(tmp_path)

    assert main([])
    assert capsys.readouterr().out.count("whom") == 1
