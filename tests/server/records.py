"""Log records for tests."""

import logging


def record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    trace = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("chat.server", logging.WARNING, __file__, 1, message, args, trace)


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught
