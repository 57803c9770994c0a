"""The messages that the message pane posts."""

from textual.message import Message


class UnreadChanged(Message, namespace="transcript"):
    """The number of lines of others below the visible rows has changed."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count


class Mentioned(Message, namespace="transcript"):
    """A member mentioned this client. Of several mentions in one batch, the last one is posted."""

    def __init__(self, nick: str, text: str) -> None:
        super().__init__()
        self.nick = nick
        self.text = text


class LinkOpened(Message, namespace="transcript"):
    """A web address was clicked; http or https."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
