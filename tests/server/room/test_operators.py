import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Granted, Model, Refused
from server.room.member import Member
from server.room.operators import WRONG_AT_ONCE, WRONG_RATE, Operators

KEY, NONCE = b"the speaker's key", "a nonce"
PROOF = hmac.new(KEY, NONCE.encode(), "sha256").hexdigest()


def refusal(answer: Granted | Refused | None) -> str:
    return answer.code if isinstance(answer, Refused) else ""


class Desk:
    """Gives proofs as connection 1, 2 and so on, of people called alike."""

    def __init__(self, key: bytes = KEY) -> None:
        self.operators = Operators(key)
        self.people: dict[int, Member] = {}

    def give(self, number: int, proof: str, now: float, nonce: str = NONCE) -> dict[int, str]:
        """The answers that it brings, by connection: the code of the refusal, or `operator`."""
        member = self.people.setdefault(number, Member(f"token-{number}", f"person{number}"))
        refused = self.operators.prove(number, member, nonce, proof)
        return ({number: refused.code} if refused else {}) | self.look(now)

    def look(self, now: float) -> dict[int, str]:
        return {number: refusal(answer) or "operator" for number, _, answer in self.operators.look(now)}


class TestProving:
    def test_who_has_the_key_becomes_an_operator(self) -> None:
        desk = Desk()
        assert desk.give(1, PROOF, 0.0) == {1: "operator"}
        assert desk.people[1].operator
        assert desk.people[1].key_holder

    @given(st.text(max_size=80))
    def test_any_other_proof_is_refused(self, proof: str) -> None:
        desk = Desk()
        assert desk.give(1, proof, 0.0) == {1: "wrong-proof"}
        assert not desk.people[1].operator

    def test_a_proof_for_another_connection_is_wrong(self) -> None:
        assert Desk().give(1, PROOF, 0.0, nonce="another nonce") == {1: "wrong-proof"}

    def test_without_a_key_nobody_can_become_one(self) -> None:
        assert Desk(b"").give(1, hmac.new(b"", NONCE.encode(), "sha256").hexdigest(), 0.0) == {1: "no-operators"}

    def test_however_many_guess_few_proofs_a_second_are_looked_at(self) -> None:
        desk, wrong = Desk(), 0
        for tenth in range(100):
            for number in range(1, 51):
                wrong += list(desk.give(number, "guess", 100 + tenth / 10).values()).count("wrong-proof")
        assert wrong <= WRONG_AT_ONCE + WRONG_RATE * 10

    def test_the_right_proof_gets_in_past_thirty_who_guess_without_a_pause(self) -> None:
        desk = Desk()
        for second in range(3):
            for number in range(2, 32):
                desk.give(number, "guess", 100.0 + second)
        answers, now = desk.give(1, PROOF, 103.0), 103.0
        while 1 not in answers:
            now += 0.25
            assert now < 110
            for number in range(2, 32):
                answers |= desk.give(number, "guess", now)
        assert answers[1] == "operator"

    def test_a_second_proof_while_the_first_waits_is_refused(self) -> None:
        desk = Desk()
        for number in range(1, WRONG_AT_ONCE + 1):
            desk.give(number, "guess", 100.0)
        assert desk.give(9, PROOF, 100.0) == {}
        assert desk.give(9, PROOF, 100.0) == {9: "wait"}
        assert desk.look(101.0) == {9: "operator"}

    def test_who_has_left_is_not_waited_for(self) -> None:
        desk = Desk()
        for number in range(1, WRONG_AT_ONCE + 2):
            desk.give(number, "guess", 100.0)
        desk.operators.forget(WRONG_AT_ONCE + 1)
        assert desk.look(200.0) == {}

    def test_right_proofs_are_not_throttled(self) -> None:
        desk = Desk()
        assert all(desk.give(number, PROOF, 100.0) == {number: "operator"} for number in range(100))

    def test_a_clock_that_was_set_back_keeps_nobody_waiting(self) -> None:
        desk = Desk()
        for number in range(1, WRONG_AT_ONCE + 1):
            desk.give(number, "guess", 10_000.0)
        desk.give(9, PROOF, 5_000.0)
        assert desk.look(5_001.0) == {9: "operator"}


class TestSwitching:
    def test_an_operator_can_ask_for_another_model(self) -> None:
        asked: list[Model] = []
        operators = Operators(KEY, lambda model: not asked.append(model))
        assert operators.switch("thread", Model.EVENT) is None
        assert asked == [Model.THREAD]

    @pytest.mark.parametrize(
        ("model", "free", "code"),
        [
            ("event", True, "same-model"),
            ("thread", False, "switching"),
            ("fibre", True, "bad-command"),
            ("", True, "bad-command"),
            ("\x1b[2J" * 100, True, "bad-command"),
        ],
    )
    def test_what_cannot_be_is_refused(self, model: str, free: bool, code: str) -> None:
        refused = Operators(KEY, lambda model: free).switch(model, Model.EVENT)
        assert refusal(refused) == code
        assert refused is not None
        assert refused.reason.isprintable()
        assert len(refused.reason) < 200
