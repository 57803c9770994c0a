"""WebRoom: a server that browsers reach under a name, and that can be started again at the same port."""

from pathlib import Path

from tests import running
from tests.peers import RichPeer

HOST, STRANGE_HOST = "room.test", "strange.test"


class WebRoom:
    """The name of the host leads to 127.0.0.1 in the browser of the tests only."""

    def __init__(self, folder: Path, model: str, *options: str) -> None:
        self._folder = folder
        self._model = model
        self._options = ("--web-name", HOST, *options)
        self.server = running.start(model, folder, *self._options)
        self.port = self.server.address[1]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/"

    def member(self, nick: str) -> RichPeer:
        """Join in the rich dialect over TCP."""
        return self.server.rich(nick)

    def operator(self, nick: str = "boss") -> RichPeer:
        return self.server.operator(nick)

    def stop(self) -> None:
        """End the server, and all connections to it."""
        self.server.close()

    def restart(self) -> None:
        """Start another server at the same port, which knows nothing of the first."""
        at_same_port = ("--bind", f"127.0.0.1:{self.port}")
        self.server = running.start(self._model, self._folder, *self._options, *at_same_port)

    def close(self) -> None:
        self.server.close()
        assert "Traceback" not in self.server.log(), self.server.log()
