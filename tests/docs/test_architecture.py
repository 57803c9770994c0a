"""Documents: pictures come from their texts, the diagram from the code, and each link leads to a file."""

import re
from pathlib import Path

import pytest

from tests.docs.pictures import draw
from tests.docs.session_states import with_diagram

PAGES = ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/models.md", "docs/protocol.md", "docs/bot.md")


def test_pictures_match_their_texts(root: Path) -> None:
    sources = sorted((root / "docs/pictures").glob("*.txt"))
    assert sources
    for source in sources:
        assert source.with_suffix(".svg").read_text() == draw(source.read_text()), "`make docs` draws it anew"


def test_state_diagram_matches_code(root: Path) -> None:
    page = (root / "docs/architecture.md").read_text()
    assert page == with_diagram(page), "`make docs` writes it anew"


@pytest.mark.parametrize("page", PAGES)
def test_links_and_paths_exist(root: Path, page: str) -> None:
    """Relative links, and files of the packages that stand in backquotes."""
    text = (root / page).read_text()
    links = [link.split("#")[0] for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text)]
    missing = [link for link in links if link and not ((root / page).parent / link).exists()]
    named = re.findall(r"`((?:protocol|server|tui|tests|docs|screenshots)/[\w./]+\.\w+)`", text)
    assert missing + [path for path in named if not (root / path).exists()] == []
