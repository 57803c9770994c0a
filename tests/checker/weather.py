"""Weather: what happens to all connections at once, and so explains why one of them ended."""

from dataclasses import dataclass, field


@dataclass
class Weather:
    """Told by whoever restarts the server."""

    epoch: str = ""
    """What runs now."""
    restarting: bool = False
    starving: bool = False
    """The server may not open more files: then it may turn newcomers away."""
    stops: list[tuple[float, float]] = field(default_factory=list)
    """When the server, or what it needs to switch, was stopped: seconds since the epoch, from and to."""

    def excuse(self, epoch: str) -> str:
        """Why a connection of that epoch may end now; empty where there is no reason."""
        return "the server was restarted" if self.restarting or epoch != self.epoch else ""

    def excuse_at_the_door(self, epoch: str) -> str:
        """Why a connection that was opened in that epoch may end before its welcome."""
        return "the server has no file descriptor left" if self.starving else self.excuse(epoch)
