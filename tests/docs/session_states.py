"""Writes the diagram of a session's states into docs/architecture.md, from the table in the code; part of `make docs`.

python -m tests.docs.session_states
"""

from pathlib import Path

from server.session_types import MOVES, State

PAGE = Path("docs/architecture.md")
BEGIN, END = "<!-- states -->\n", "<!-- /states -->\n"


def diagram() -> str:
    """The states and the moves as a Mermaid diagram, without the resets that lead from each state to CLOSED."""
    lines = [f"    [*] --> {State(0).name}"]
    for (before, after), event in MOVES.items():
        if event != "a reset":
            lines.append(f"    {before.name} --> {after.name}: {event.removeprefix('a reset, ')}")
    lines.append(f"    {State.CLOSED.name} --> [*]")
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```", ""])


def with_diagram(page: str) -> str:
    """The page with the diagram between its marks."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}{diagram()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_diagram(PAGE.read_text()))
