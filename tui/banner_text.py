"""The models' names three rows tall, in the strokes of Textual's big digits, to be read from the last row. Pure."""

WORDS = {
    "process": """\
┏━┓┏━┓┏━┓┏━╸┏━╸┏━┓┏━┓
┣━┛┣┳┛┃ ┃┃  ┣╸ ┗━┓┗━┓
╹  ╹┗╸┗━┛┗━╸┗━╸┗━┛┗━┛""",
    "thread": """\
╺┳╸╻ ╻┏━┓┏━╸┏━┓╺┳┓
 ┃ ┣━┫┣┳┛┣╸ ┣━┫ ┃┃
 ╹ ╹ ╹╹┗╸┗━╸╹ ╹╺┻┛""",
    "event": """\
┏━╸╻ ╻┏━╸┏┓╻╺┳╸
┣╸ ┃┏┛┣╸ ┃┗┫ ┃
┗━╸┗┛ ┗━╸╹ ╹ ╹""",
}


def banner_text(model: str) -> str:
    """The name in three rows; as it is, on the middle one, where a newer server names a model unknown here."""
    return WORDS.get(model, f"\n{model}\n")
