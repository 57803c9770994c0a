"""Weather: what happens to all connections at once, and so explains why one of them ended."""

from dataclasses import dataclass


@dataclass
class Weather:
    """Told by whoever restarts the server."""

    epoch: str = ""
    """What runs now."""
    restarting: bool = False

    def excuse(self, epoch: str) -> str:
        """Why a connection of that epoch may end now; empty where there is no reason."""
        return "the server was restarted" if self.restarting or epoch != self.epoch else ""
