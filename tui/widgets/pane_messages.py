"""What the message pane posts. Handlers are named after it: `on_transcript_unread_changed` and so on."""

from textual.message import Message


class UnreadChanged(Message, namespace="transcript"):
    """So many lines of others lie below what is in view."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count


class Mentioned(Message, namespace="transcript"):
    """Somebody named me just now. Of several in one batch, the last."""

    def __init__(self, nick: str, text: str) -> None:
        super().__init__()
        self.nick = nick
        self.text = text


class LinkOpened(Message, namespace="transcript"):
    """A web address was clicked; http or https."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
