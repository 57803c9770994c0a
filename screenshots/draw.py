"""Draws all pictures again, or the named ones: `python -m screenshots.draw [NAME …]`."""

import asyncio
import os
import sys
import time

from screenshots import browser
from screenshots.pictures import PICTURES


def main() -> int:
    """Draw the named pictures, or all. Returns the exit code."""
    wanted = sys.argv[1:] or list(PICTURES)
    if unknown := [name for name in wanted if name not in PICTURES]:
        print(f"there is no picture {unknown[0]!r}: they are {', '.join(PICTURES)}", file=sys.stderr)
        return 2
    os.environ |= {"COLORTERM": "truecolor", "TERM": "xterm-256color"}
    os.environ.pop("NO_COLOR", None)
    for name in wanted:
        if name.startswith("web-") and not browser.is_installed():
            print(f"{name}: left out, because {browser.PROGRAM} is not installed")
            continue
        began = time.perf_counter()
        asyncio.run(PICTURES[name](name))
        print(f"{name}: {time.perf_counter() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
