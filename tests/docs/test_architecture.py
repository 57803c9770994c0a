"""Documents: pictures come from their texts, the diagram from the code, and each link leads to a file or a heading."""

import re
from pathlib import Path

import pytest

from tests.docs.pictures import draw
from tests.docs.session_states import with_diagram

PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{name}.md" for name in ("architecture", "bot", "limits", "models", "protocol", "web")),
)


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


@pytest.mark.parametrize("page", PAGES)
def test_anchors_are_headings(root: Path, page: str) -> None:
    path = root / page
    links = re.findall(r"\]\((?!https?:)([^)\s#]*)#([^)\s]+)\)", path.read_text())
    missing = [
        f"{target}#{anchor}"
        for target, anchor in links
        if anchor not in anchors((path.parent / target if target else path).read_text())
    ]
    assert missing == []


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_glossary_words_occur_in_code(root: Path) -> None:
    glossary = (root / "CONTRIBUTING.md").read_text().partition("## Glossary")[2]
    words = re.findall(r"^\| ([a-z][a-z -]+) \|", glossary, re.MULTILINE)[1:]
    assert len(words) > 20
    assert words == sorted(words)
    sources = [file.read_text() for package in ("protocol", "server", "tui") for file in (root / package).rglob("*.py")]
    code = re.sub(r"[\s_-]", "", "".join(sources)).lower()
    assert [word for word in words if re.sub("[ -]", "", word) not in code] == []
