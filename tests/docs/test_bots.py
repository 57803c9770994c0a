"""The bots of docs/bot.md run as they stand there, against a real server."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import PATIENCE, start

BOTS = ("with protocol.client", "with a socket alone")


@pytest.mark.parametrize("number", range(len(BOTS)), ids=BOTS)
def test_bot_answers_ping(root: Path, tmp_path: Path, number: int) -> None:
    programs = re.findall(r"```python\n(.*?)```", (root / "docs" / "bot.md").read_text(), re.DOTALL)
    assert len(programs) == len(BOTS)
    program = tmp_path / "bot.py"
    program.write_text(programs[number])
    server = start("event", tmp_path)
    host, port = server.address
    bot = subprocess.Popen(
        [sys.executable, program, host, str(port)], env=os.environ | {"PYTHONPATH": str(root)}, stderr=subprocess.PIPE
    )
    try:
        ada = server.rich("ada")
        ada.sees("bot")
        ada.say("!ping")
        ada.expect("said", nick="bot", text="@ada pong")
    finally:
        bot.terminate()
        assert bot.communicate(timeout=PATIENCE)[1] == b""
        server.close()
