"""The models' names in letters three rows tall, drawn like Textual's `Digits`, for the stage and the banner. Pure."""

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
    """The name in three rows. The name of an unknown model (of a newer server) is on the middle row as it is."""
    return WORDS.get(model, f"\n{model}\n")
