"""A stand-in for the room: its answers to the listener."""


class Members:
    """Connections have no nickname until they are in `joined`."""

    def __init__(self, operator_token: str = "") -> None:
        self.operator_token = operator_token
        self.joined: set[int] = set()

    def is_operator(self, token: str) -> bool:
        return bool(token) and token == self.operator_token

    def is_established(self, token: str) -> bool:
        return False

    def is_member(self, number: int) -> bool:
        return number in self.joined

    def is_nameless(self, number: int) -> bool:
        return number not in self.joined
