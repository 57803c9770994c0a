"""`python -m tui.console`, as chat-server runs it. Nothing is loaded before Ctrl-C is minded."""

import sys

EXIT_INTERRUPTED = 130

try:
    from tui.console.console import main

    main()
except KeyboardInterrupt:
    sys.exit(EXIT_INTERRUPTED)
