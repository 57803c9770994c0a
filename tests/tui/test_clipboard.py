"""The message after a link was opened or copied."""

import pytest

from tui.clipboard import with_ascii_host


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://example.org/ü", "https://example.org/ü"),
        ("https://аpple.com/", "https://аpple.com/ (xn--pple-43d.com)"),
        ("https://[::1/", "https://[::1/"),
        ("https://ü..x/", "https://ü..x/"),
    ],
)
def test_with_ascii_host_shows_the_ascii_name_of_a_host(url: str, told: str) -> None:
    assert with_ascii_host(url) == told
