import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pace import is_within
from tui.message_log.links import links


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://example.org/x?y=1#z now", ["https://example.org/x?y=1#z"]),
        ("http://a.example, https://b.example.", ["http://a.example", "https://b.example"]),
        ("(https://example.org/a_(b))", ["https://example.org/a_(b)"]),
        ("<https://example.org>", ["https://example.org"]),
        ('"https://example.org/"', ["https://example.org/"]),
        ("HTTPS://EXAMPLE.ORG", ["HTTPS://EXAMPLE.ORG"]),
        ("ftp://example.org javascript:alert(1) file:///etc/passwd", []),
        ("https:// http://", []),
        ("xhttps://example.org", []),
        ("nothing", []),
        ("[@click=app.exit]https://example.org[/]", ["https://example.org"]),
        ("https://example.org/" + "x" * 3000, []),
    ],
)
def test_links_are_web_addresses_without_punctuation(text: str, urls: list[str]) -> None:
    assert [link.url for link in links(text)] == urls


@given(st.text(max_size=200).map(lambda text: f"http://{text} https://{text}"))
def test_link_range_is_its_address(text: str) -> None:
    for start, end, url in links(text):
        assert text[start:end] == url
        assert url.lower().startswith(("http://", "https://"))
        assert not any(char.isspace() for char in url)


def test_many_brackets_do_not_take_long() -> None:
    began = time.perf_counter()
    links("https://x" + ")" * 64_000)
    links("https://" * 8_000)
    assert is_within(time.perf_counter() - began, 1.0)
