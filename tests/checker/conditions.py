"""Conditions: states of the server that affect all connections, and so explain the end of one."""

from dataclasses import dataclass, field


@dataclass
class Conditions:
    """Set by the acts against the server."""

    epoch: str = ""
    """The running epoch."""
    restarting: bool = False
    starving: bool = False
    """True while the server cannot open more files, so that it may reject new connections."""
    stops: list[tuple[float, float]] = field(default_factory=list)
    """Start and end of each time in which the server or its fork server was stopped, in seconds of Unix time."""

    def explain_end(self, epoch: str) -> str:
        """Return the reason for which a connection of `epoch` may end now; empty without one."""
        return "the server was restarted" if self.restarting or epoch != self.epoch else ""

    def explain_rejection(self, epoch: str) -> str:
        """Return the reason for which a connection opened in `epoch` may end before its welcome; empty without one."""
        return "the server has no file descriptor left" if self.starving else self.explain_end(epoch)
