from unicodedata import category, normalize

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from protocol.format import plural
from protocol.nicknames import MAX_NICKNAME, NicknameRefused, check_nickname
from protocol.sanitize import MAX_MARKS, sanitize
from tests.protocol.strategies import BIDI, CONTROLS, INVISIBLE, hostile_text

HARMFUL = {chr(code) for code in [*CONTROLS, *BIDI, *INVISIBLE, 0x2028, 0x2029]}
lines = st.booleans()

printable = st.text(
    st.characters(categories=["L", "N", "P", "S", "Mc"], exclude_characters=[*map(chr, INVISIBLE), "\u2800"]).filter(
        str.isprintable
    )
    | st.just(" ")
)


def most_marks(text: str) -> int:
    """The longest run of combining marks."""
    longest = run = 0
    for char in text:
        run = run + 1 if category(char) in ("Mn", "Me") else 0
        longest = max(longest, run)
    return longest


class TestSanitize:
    @given(hostile_text, lines)
    @example("e\u0301\u0301\u0301\u200d\u0301\u0301\u0301", False)
    @example("\u200b\u0301", False)
    @example("\U000e0002", False)
    def test_sanitize_twice_is_sanitize_once(self, text: str, lines: bool) -> None:
        once = sanitize(text, lines=lines)
        assert sanitize(once, lines=lines) == once

    @given(hostile_text, lines)
    @example("\U000e0041\U000e01ff\ufff0\u2065", False)
    def test_sanitize_leaves_no_control_or_hidden_character(self, text: str, lines: bool) -> None:
        left = set(sanitize(text, lines=lines)) - ({"\n"} if lines else set())
        assert not left & HARMFUL
        assert not [char for char in left if category(char) in ("Cc", "Cs", "Zl", "Zp")]

    def test_sanitize_leaves_no_character_of_the_unicode_lists(self) -> None:
        harmful = [chr(code) for code in [*CONTROLS, *BIDI, *INVISIBLE, *range(0xD800, 0xE000)]]
        assert [char for char in harmful if char in sanitize(f"a{char}b")] == []

    @given(hostile_text)
    def test_sanitized_text_can_be_encoded(self, text: str) -> None:
        sanitize(text).encode()

    @given(hostile_text)
    def test_line_end_stays_only_with_lines(self, text: str) -> None:
        assert "\n" not in sanitize(text)
        assert sanitize(text, lines=True).count("\n") == text.count("\n")

    @given(hostile_text, lines)
    @example("e" + "\u0301" * 3 + "\u200d" + "\u0301" * 3, False)
    @example("e" + "\u0301\ufe0f" * 9, False)
    def test_letter_keeps_at_most_three_marks(self, text: str, lines: bool) -> None:
        assert most_marks(sanitize(text, lines=lines)) <= MAX_MARKS

    @given(hostile_text)
    @example("\u200b\u0301")
    @example("a\n\u0301")
    def test_mark_at_the_beginning_of_a_line_is_removed(self, text: str) -> None:
        for line in sanitize(text, lines=True).split("\n"):
            assert category((line or " ")[0]) not in ("Mn", "Me")

    @given(printable)
    def test_printable_text_is_unchanged(self, text: str) -> None:
        assert sanitize(text) == text

    @pytest.mark.parametrize("text", ["Việt Nam", "e\u0323\u0302", "שָׁלוֹם", "สวัสดีครับ", "नमस्ते", "مرحبا", "李雷 😀 ±½→│"])
    def test_text_of_many_scripts_is_unchanged(self, text: str) -> None:
        assert sanitize(text) == text

    @pytest.mark.parametrize(
        ("text", "seen"),
        [
            ("\x1b[2J", "␛[2J"),
            ("a\0b", "a␀b"),
            ("a\rb", "a␍b"),
            ("a\x7fb", "a␡b"),
            ("a\x9b31mb", "a\ufffd31mb"),
            ("a\x85b", "a␤b"),
            ("a\u2028b", "a␤b"),
            ("a\nb", "a␤b"),
            ("a\tb", "a    b"),
            ("a\u202eb", "ab"),
            ("a\u200bb", "ab"),
            ("\ud800", ""),
            ("a\u00a0b", "a b"),
        ],
    )
    def test_control_becomes_its_picture(self, text: str, seen: str) -> None:
        assert sanitize(text) == seen


class TestNicknames:
    @given(hostile_text | st.from_regex(r"\w[\w.-]{0,30}", fullmatch=True))
    @example("e" + "\u0301" * 4)
    @example("a\u1160b")
    @example("\u0661a")
    @example("\ufdfa")
    def test_accepted_nickname_is_stable_and_follows_the_rules(self, asked: str) -> None:
        try:
            nick = check_nickname(asked)
        except NicknameRefused:
            assume(False)
        assert check_nickname(nick) == nick
        assert 1 <= len(nick) <= MAX_NICKNAME
        assert nick[0].isalnum()
        assert all(category(char)[0] in "LMN" or char in "_-." for char in nick)
        assert not any(char.isspace() for char in nick)
        assert sanitize(nick) == nick == normalize("NFKC", nick)

    @given(hostile_text)
    def test_refusal_is_one_sentence(self, asked: str) -> None:
        reason = ""
        try:
            check_nickname(asked)
        except NicknameRefused as refusal:
            reason = str(refusal)
        assert reason == sanitize(reason)
        assert not reason or reason.startswith("a nickname ")

    @pytest.mark.parametrize(
        "nick", ["ada", "Ada", "Zoë", "李雷", "ада", "عادة", "7of9", "a_b-c.d", "o" * MAX_NICKNAME]
    )
    def test_nickname_of_any_script_is_unchanged(self, nick: str) -> None:
        assert check_nickname(nick) == nick

    @pytest.mark.parametrize(
        "asked",
        [
            "", " ", "*", "***", "*** ", "two words", "a\u00a0b", "a\u3000b", "a\tb", "a\x1b[2J", "a\nb", "a\0", "-ada",
            "_ada", ".ada", "ada:", "a/b", "<b>", "[/x]", "a\u200bb", "a\u202eb", "\ud800", "a\u2028b", "\u0301a",
            "x" * (MAX_NICKNAME + 1), "x" * 10_000, "e" + "\u0301" * 5, "\U000e0041", "①", "ﬁne", "אa1", "😀", "\ufeff",
        ],
    )  # fmt: skip
    def test_nickname_with_other_characters_is_refused(self, asked: str) -> None:
        with pytest.raises(NicknameRefused):
            check_nickname(asked)

    @pytest.mark.parametrize(
        ("asked", "why"),
        [
            ("1שלום", "from right to left begins with a letter"),
            ("_שלום", "from right to left begins with a letter"),
            ("שלום-", "ends with a letter or a digit"),
            ("שלוםabc", "letters of the other direction"),
            ("abcשלום", "letters of the other direction"),
            ("עם1\u0661", "two kinds of digits"),
            ("ﬁne", "plain letters"),
            ("a!", "the signs _ - ."),
            ("😀", "the signs _ - ."),
        ],
    )
    def test_refusal_has_the_reason(self, asked: str, why: str) -> None:
        with pytest.raises(NicknameRefused, match=why):
            check_nickname(asked)

    def test_full_width_letters_become_plain_ones(self) -> None:
        assert check_nickname("ＡＤＡ") == "ADA"

    def test_decomposed_letter_is_composed(self) -> None:
        assert check_nickname("Zoe\u0308") == "Zo\u00eb"

    @pytest.mark.parametrize(("limit", "fits"), [(3, True), (2, False)])
    def test_limit_is_an_argument(self, limit: int, fits: bool) -> None:
        if fits:
            assert check_nickname("ada", limit) == "ada"
        else:
            with pytest.raises(NicknameRefused, match="at most 2 characters"):
                check_nickname("ada", limit)


class TestPlural:
    @pytest.mark.parametrize(
        ("number", "told"),
        [
            (0, "0 lines"),
            (1, "1 line"),
            (1.0, "1 line"),
            (2, "2 lines"),
            (0.5, "0.5 lines"),
            (1_048_576, "1048576 lines"),
        ],
    )
    def test_one_thing_or_several(self, number: float, told: str) -> None:
        assert plural(number, "line") == told

    def test_a_plural_of_its_own(self) -> None:
        assert [plural(count, "process", "processes") for count in (1, 2)] == ["1 process", "2 processes"]
