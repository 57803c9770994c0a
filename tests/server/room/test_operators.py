import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Model, OperatorGranted, Refused
from server.room.operators import ALL_WRONG_BURST, ALL_WRONG_RATE, WRONG_BURST, WRONG_RATE, Operators
from server.room.roster import Member

KEY, NONCE = b"the speaker's key", "a nonce"
PROOF = hmac.new(KEY, NONCE.encode(), "sha256").hexdigest()


def refusal(answer: OperatorGranted | Refused | None) -> str:
    return answer.code if isinstance(answer, Refused) else ""


class Desk:
    """Gives proofs as connections 1, 2 and so on."""

    def __init__(self, key: bytes = KEY) -> None:
        self.operators = Operators(key)
        self.people: dict[int, Member] = {}

    def give(
        self, number: int, proof: str, now: float, nonce: str = NONCE, group: str = "192.0.2.1", stayed: float = 0.0
    ) -> dict[int, str]:
        """The answers by connection: the code of the refusal, or `operator`."""
        member = self.people.setdefault(number, Member(f"token-{number}", f"person{number}", stayed=stayed))
        refused = self.operators.queue_proof(number, member, nonce, proof, group)
        return ({number: refused.code} if refused else {}) | self.look(now)

    def look(self, now: float) -> dict[int, str]:
        return {number: refusal(answer) or "operator" for number, answer in self.operators.check_proofs(now)}


class TestProving:
    def test_right_proof_makes_an_operator(self) -> None:
        desk = Desk()
        assert desk.give(1, PROOF, 0.0) == {1: "operator"}
        assert desk.people[1].operator
        assert desk.people[1].holds_key

    @given(st.text(max_size=80))
    def test_any_other_proof_is_refused(self, proof: str) -> None:
        desk = Desk()
        assert desk.give(1, proof, 0.0) == {1: "wrong-proof"}
        assert not desk.people[1].operator

    def test_a_proof_for_another_connection_is_wrong(self) -> None:
        assert Desk().give(1, PROOF, 0.0, nonce="another nonce") == {1: "wrong-proof"}

    def test_proof_without_a_key_is_refused(self) -> None:
        assert Desk(b"").give(1, hmac.new(b"", NONCE.encode(), "sha256").hexdigest(), 0.0) == {1: "no-operators"}

    def test_wrong_proofs_from_an_address_are_limited(self) -> None:
        desk, wrong = Desk(), 0
        for tenth in range(100):
            for number in range(1, 301):
                wrong += list(desk.give(number, "guess", 100 + tenth / 10).values()).count("wrong-proof")
        assert wrong <= WRONG_BURST + WRONG_RATE * 10

    def test_wrong_proofs_from_all_addresses_are_limited(self) -> None:
        desk, wrong = Desk(), 0
        for tenth in range(100):
            for number in range(1, 301):
                answers = desk.give(number, "guess", 100 + tenth / 10, group=f"192.0.2.{number % 100}")
                wrong += list(answers.values()).count("wrong-proof")
        assert wrong <= ALL_WRONG_BURST + ALL_WRONG_RATE * 10

    @pytest.mark.parametrize("group", ["192.0.2.1", "192.0.2.2"])
    def test_a_right_proof_among_200_that_guess_is_found_in_a_second(self, group: str) -> None:
        """The proof comes from the address of the guessing connections, or from another."""
        desk, now = Desk(), 100.0
        for _ in range(400):
            now += 0.05
            for number in range(2, 202):
                desk.give(number, "guess", now)
        answers, began = desk.give(1, PROOF, now, group=group), now
        while 1 not in answers:
            now += 0.05
            for number in range(2, 202):
                answers |= desk.give(number, "guess", now)
        assert answers[1] == "operator"
        assert now - began <= 1

    def test_an_established_member_is_before_new_ones_that_guess(self) -> None:
        """Each guessing connection gives its first proof, so it looks like a new connection of the host."""
        desk, now = Desk(), 100.0
        for number in range(2, WRONG_BURST + 202):
            desk.give(number, "guess", now)
        answers = desk.give(1, PROOF, now, stayed=60.0)
        while 1 not in answers:
            now += 0.05
            answers |= desk.look(now)
        assert now <= 101

    def test_addresses_take_turns(self) -> None:
        desk = Desk()
        for number in range(2, ALL_WRONG_BURST + 102):
            desk.give(number, "guess", 100.0, group=f"192.0.2.{number % 10}")
        desk.give(1, PROOF, 100.0, group="198.51.100.7")
        assert desk.look(102.0)[1] == "operator"

    def test_a_second_proof_while_the_first_waits_is_refused(self) -> None:
        desk = Desk()
        for number in range(1, WRONG_BURST + 1):
            desk.give(number, "guess", 100.0)
        assert desk.give(9, PROOF, 100.0) == {}
        assert desk.give(9, PROOF, 100.0) == {9: "wait"}
        assert desk.look(101.0) == {9: "operator"}

    def test_proof_of_a_connection_that_left_is_dropped(self) -> None:
        desk = Desk()
        for number in range(1, WRONG_BURST + 2):
            desk.give(number, "guess", 100.0)
        desk.operators.forget(WRONG_BURST + 1)
        assert desk.look(200.0) == {}

    def test_right_proofs_are_not_throttled(self) -> None:
        desk = Desk()
        assert all(desk.give(number, PROOF, 100.0) == {number: "operator"} for number in range(100))

    def test_clock_that_was_set_back_delays_no_proof(self) -> None:
        desk = Desk()
        for number in range(1, WRONG_BURST + 1):
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
    def test_impossible_switch_is_refused(self, model: str, free: bool, code: str) -> None:
        refused = Operators(KEY, lambda model: free).switch(model, Model.EVENT)
        assert refusal(refused) == code
        assert refused is not None
        assert refused.reason.isprintable()
        assert len(refused.reason) < 200
