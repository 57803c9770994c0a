"""`python -m tui.console`, which chat-server runs. Handles Ctrl-C while the modules are being loaded."""

import sys

EXIT_INTERRUPTED = 130

try:
    from tui.console.console import main

    main()
except KeyboardInterrupt:
    sys.exit(EXIT_INTERRUPTED)
