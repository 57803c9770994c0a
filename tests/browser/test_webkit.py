"""The page in WebKit, the engine of iPhones: it joins, talks, sees a switch, and returns after a reload."""

from collections.abc import Iterator

import pytest

from tests.browser.room import WebRoom
from tests.browser.webkit import ENTER, WebKit

pytestmark = pytest.mark.needs("WebKitWebDriver", "Xvfb")
TEXTS = "[...document.querySelectorAll('#lines > p')].map(line => line.textContent)"


@pytest.fixture
def webkit() -> Iterator[WebKit]:
    with WebKit() as browser:
        yield browser


def test_webkit_runs_the_page(room: WebRoom, webkit: WebKit) -> None:
    boss = room.operator()
    webkit.open(f"http://127.0.0.1:{room.port}/")
    webkit.type("#nick", f"ada{ENTER}")
    webkit.sees("document.getElementById('say').hidden === false")
    for number in range(5):
        webkit.type("#text", f"own {number}{ENTER}")
    for number in range(5):
        assert boss.expect("said", nick="ada")["text"] == f"own {number}"
    boss.say("ada, look at https://example.org/")
    webkit.sees("document.querySelector('#lines > .mention a') !== null")
    own = [text for text in webkit.evaluate(TEXTS) if "own" in text]
    assert own == [f"ada own {number}" for number in range(5)]
    boss.switch("thread")
    webkit.sees("document.getElementById('model').textContent === '≋ thread'")
    webkit.type("#text", "half a thought")
    webkit.open(f"http://127.0.0.1:{room.port}/")
    webkit.sees("document.getElementById('served').textContent.startsWith('you are ada, served by')")
    webkit.sees(f"{TEXTS}.length > 5")
    assert [text for text in webkit.evaluate(TEXTS) if "own" in text] == own
    assert webkit.evaluate("document.getElementById('text').value") == "half a thought"
    assert webkit.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    boss.sees("ada")
    assert boss.people() == ["ada", "boss"]
