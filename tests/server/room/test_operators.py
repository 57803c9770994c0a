import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Granted, Model, Refused
from server.room.member import Member
from server.room.operators import WRONG_PROOF_PAUSE, Operators

KEY, NONCE = b"the speaker's key", "a nonce"
PROOF = hmac.new(KEY, NONCE.encode(), "sha256").hexdigest()


def refusal(answer: Granted | Refused | None) -> str:
    return answer.code if isinstance(answer, Refused) else ""


class TestProving:
    def test_who_has_the_key_becomes_an_operator(self) -> None:
        ada = Member("t", "ada")
        assert Operators(KEY).prove(ada, NONCE, PROOF, 0.0) == Granted()
        assert ada.operator

    @given(st.text(max_size=80))
    def test_any_other_proof_is_refused(self, proof: str) -> None:
        ada = Member("t", "ada")
        assert refusal(Operators(KEY).prove(ada, NONCE, proof, 0.0)) == "wrong-proof"
        assert not ada.operator

    def test_a_proof_for_another_connection_is_wrong(self) -> None:
        assert refusal(Operators(KEY).prove(Member("t", "ada"), "another nonce", PROOF, 0.0)) == "wrong-proof"

    def test_without_a_key_nobody_can_become_one(self) -> None:
        empty = hmac.new(b"", NONCE.encode(), "sha256").hexdigest()
        assert refusal(Operators().prove(Member("t", "ada"), NONCE, empty, 0.0)) == "no-operators"

    def test_after_a_wrong_proof_none_is_looked_at_for_a_second_whoever_brings_it(self) -> None:
        operators = Operators(KEY)
        operators.prove(Member("t", "mallory"), NONCE, "guess", 100.0)
        ada = Member("u", "ada")
        assert refusal(operators.prove(ada, NONCE, PROOF, 100.0 + WRONG_PROOF_PAUSE / 2)) == "wait"
        assert not ada.operator
        assert operators.prove(ada, NONCE, PROOF, 100.0 + WRONG_PROOF_PAUSE) == Granted()

    def test_a_clock_that_was_set_back_closes_the_door_for_a_second_and_no_longer(self) -> None:
        operators = Operators(KEY)
        operators.prove(Member("t", "mallory"), NONCE, "guess", 10_000.0)
        assert operators.prove(Member("u", "ada"), NONCE, PROOF, 5_000.0) == Granted()


class TestSwitching:
    ADA = Member("t", "ada", operator=True)

    def test_an_operator_can_ask_for_another_model(self) -> None:
        asked: list[Model] = []
        operators = Operators(KEY, lambda model: not asked.append(model))
        assert operators.switch(self.ADA, "thread", Model.EVENT) is None
        assert asked == [Model.THREAD]

    @pytest.mark.parametrize(
        ("member", "model", "free", "code"),
        [
            (Member("t", "bob"), "thread", True, "not-operator"),
            (ADA, "event", True, "same-model"),
            (ADA, "thread", False, "switching"),
            (ADA, "fibre", True, "bad-command"),
            (ADA, "", True, "bad-command"),
            (ADA, "\x1b[2J" * 100, True, "bad-command"),
        ],
    )
    def test_what_cannot_be_is_refused(self, member: Member, model: str, free: bool, code: str) -> None:
        refused = Operators(KEY, lambda model: free).switch(member, model, Model.EVENT)
        assert refusal(refused) == code
        assert refused is not None
        assert refused.reason.isprintable()
        assert len(refused.reason) < 200

    def test_who_is_no_operator_asks_nothing_of_the_server(self) -> None:
        asked: list[Model] = []
        Operators(KEY, lambda model: not asked.append(model)).switch(Member("t", "bob"), "thread", Model.EVENT)
        assert asked == []
