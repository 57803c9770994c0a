"""WebKit: MiniBrowser of WebKitGTK, driven over W3C WebDriver. Each browser on an iPhone has this engine."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tests.peers import PATIENCE, readable, wait_until

BROWSERS = Path("/usr/lib")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of an element's id (W3C WebDriver, section 12)."""
ENTER = "\ue007"


class WebKit:
    """A browser window on a screen in memory, as a context manager."""

    def __enter__(self) -> "WebKit":
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        display = ["Xvfb", "-displayfd", "1", "-screen", "0", "600x900x24"]
        self._display = subprocess.Popen(display, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._display.stdout is not None
        assert readable(self._display.stdout, PATIENCE)
        screen = {**os.environ, "DISPLAY": f":{self._display.stdout.readline().strip()}", "GDK_BACKEND": "x11"}
        self._driver = subprocess.Popen(["WebKitWebDriver", f"--port={port}"], env=screen, stderr=subprocess.DEVNULL)
        self._address = f"http://127.0.0.1:{port}/session"
        browser = {"binary": str(next(BROWSERS.glob("**/webkit2gtk-4.*/MiniBrowser"))), "args": ["--automation"]}
        self._address += f"/{self._start_session({'webkitgtk:browserOptions': browser})}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._command("DELETE", "")
        for process in (self._driver, self._display):
            process.terminate()
            process.wait(PATIENCE)

    def open(self, url: str) -> None:
        self._command("POST", "/url", url=url)

    def type(self, selector: str, keys: str) -> None:
        """Type keys into an element."""
        element = self._command("POST", "/element", using="css selector", value=selector)[ELEMENT]
        self._command("POST", f"/element/{element}/value", text=keys)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        return self._command("POST", "/execute/sync", script=f"return {expression}", args=[])

    def sees(self, expression: str) -> None:
        """Wait until the expression is true."""
        wait_until(lambda: self.evaluate(expression), expression)

    def _start_session(self, capabilities: dict[str, Any]) -> str:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                session: str = self._command("POST", "", capabilities={"alwaysMatch": capabilities})["sessionId"]
                return session
            except HTTPError:
                raise
            except URLError:  # The driver does not listen yet.
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def _command(self, method: str, path: str, **parameters: Any) -> Any:
        request = Request(self._address + path, json.dumps(parameters).encode(), method=method)
        with urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]
