"""The page for browsers as text: its size and colours, and nothing that an old browser lacks or another host serves."""

import re
from pathlib import Path

import pytest
from textual.theme import Theme

from protocol.commands import MEMBER_COMMANDS
from server.web_site import WebSite
from tui.style import MODELS, QUIET, contrast, css_variables, palette, parse_colour
from tui.themes import DARK, LIGHT

MAX_BYTES, MAX_GZIPPED_BYTES = 30 * 1024, 10 * 1024
NEWER_THAN_SAFARI_15 = (
    r"\(\?<[=!]",  # lookbehind
    r"\.at\(|\.findLast|\.toSorted|\.toReversed|\.hasOwn\b|structuredClone|Array\.fromAsync|\.groupBy|\.replaceAll\(",
    r"\bstatic \{|#\w+ in |/[dgimsuy]*v[dgimsuy]*[;,.)]",
    r"randomUUID\(|crypto\.subtle\.|navigator\.(clipboard|wakeLock|serviceWorker)",
)
NEWER_CSS_THAN_SAFARI_15 = (
    r":has\(|@layer|@container|\b\d+(dvh|svh|lvh)\b|color-mix|accent-color|field-sizing|inset:|anywhere|& "
)


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "server" / "web"


@pytest.fixture(scope="module")
def style(folder: Path) -> str:
    return (folder / "room.css").read_text("utf-8")


@pytest.fixture(scope="module")
def script(folder: Path) -> str:
    return (folder / "room.js").read_text("utf-8")


def variables(style: str, *, dark: bool) -> dict[str, str]:
    """The custom properties of one theme: the rule of the root, for the light theme the first one."""
    rule = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[dark]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", rule))


def test_page_is_small(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MAX_BYTES
    site = WebSite.load()
    for accepted, most in (("identity", MAX_BYTES), ("gzip", MAX_GZIPPED_BYTES)):
        head = f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: {accepted}\r\n\r\n"
        _, _, body = site.answer(head.encode()).data.partition(b"\r\n\r\n")
        assert 5000 < len(body) <= most


def test_page_is_sent_without_its_comments(script: str) -> None:
    answer = WebSite.load().answer(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").data.decode()
    comments = [line for line in script.splitlines() if line.strip().startswith("//")]
    code = [line for line in script.splitlines() if line not in comments]
    assert len(comments) > 20
    assert "\n".join(code) in answer
    assert [line for line in comments if f"{line}\n" in answer] == []


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_colours_are_those_of_the_app(style: str, theme: Theme) -> None:
    found = variables(style, dark=theme.dark)
    for ours, theirs in {"text": "foreground", "accent": "accent", "error": "error", "warning": "warning"}.items():
        assert found[ours] == getattr(theme, theirs)
    assert (found["background"], found["surface"], found["panel"]) == (theme.background, theme.surface, theme.panel)
    for name in MODELS:
        assert found[name] == css_variables(theme.dark)[f"model-{name}"]
    assert found["quiet"] == (QUIET.dark if theme.dark else QUIET.light)
    assert [found[f"n{index}"] for index in range(16)] == list(palette(parse_colour(theme.background)))


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_colours_are_readable_on_a_mention(style: str, dark: bool) -> None:
    found = variables(style, dark=dark)
    texts = ["text", "accent", *(f"n{index}" for index in range(16))]
    assert {
        name for name in texts if contrast(parse_colour(found[name]), parse_colour(found["mention"])) < 4.5
    } == set()


def test_theme_colours_of_the_browser_are_the_surface(folder: Path, style: str) -> None:
    page = (folder / "page.html").read_text("utf-8")
    told = dict(re.findall(r'name="theme-color" content="(#\w+)" media="\(prefers-color-scheme: (\w+)\)"', page))
    assert told == {variables(style, dark=True)["surface"]: "dark", variables(style, dark=False)["surface"]: "light"}


def test_models_have_their_signs(script: str, folder: Path) -> None:
    signs = dict(re.findall(r'(\w+): "(.)"', re.search(r"const SIGNS = \{(.*)\}", script)[1]))  # type: ignore[index]  # it is there
    assert signs == {name: model.sign for name, model in MODELS.items()}
    for name, model in MODELS.items():
        assert f'<b class="{name}">{model.sign}</b>' in (folder / "page.html").read_text("utf-8")


def test_script_has_no_syntax_of_newer_browsers(script: str) -> None:
    code = re.sub(r"^\s*//.*", "", script, flags=re.MULTILINE)
    assert [found[0] for pattern in NEWER_THAN_SAFARI_15 for found in re.finditer(pattern, code)] == []


def test_style_has_no_syntax_of_newer_browsers(style: str) -> None:
    assert re.findall(NEWER_CSS_THAN_SAFARI_15, style) == []


def test_text_of_others_is_never_markup(script: str) -> None:
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function", script)
        == []
    )


def test_page_names_no_other_host(folder: Path, script: str) -> None:
    for name in ("page.html", "room.css"):
        assert re.findall(r"(?:https?:)?//[a-z]|@import|url\(", (folder / name).read_text("utf-8")) == []
    assert re.findall(r"""["'`](?:https?:)?//[a-z]""", script) == []


def test_page_has_no_inline_style_or_handler(folder: Path) -> None:
    """The Content-Security-Policy allows the one style and the one script of the page."""
    assert re.findall(r"\s(?:style|on\w+)=", (folder / "page.html").read_text("utf-8")) == []


def test_commands_of_the_page_are_those_of_members(folder: Path, script: str) -> None:
    known = {command.name for command in MEMBER_COMMANDS}
    buttons = set(re.findall(r'data-command="/(\w+)"', (folder / "page.html").read_text("utf-8")))
    listed = re.search(r"const commands = new Map\(Object.entries\(\{(.*?)\}\)\);", script, re.DOTALL)
    assert listed is not None
    obeyed = set(re.findall(r"^  (\w+):", listed[1], re.MULTILINE))
    assert buttons == {"nick", "me", "who", "where", "quit"}
    assert buttons < obeyed < known
