"""Found by an interpreter with this folder in PYTHONPATH: a name server that does not answer for one name."""

import socket
import time

_getaddrinfo = socket.getaddrinfo


def _hang(host, *arguments, **options):  # type: ignore[no-untyped-def]
    if host == "hangs.example":
        time.sleep(60)
    return _getaddrinfo(host, *arguments, **options)


socket.getaddrinfo = _hang
