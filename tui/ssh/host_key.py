"""The host key: made once, and kept in a file that only its owner can read.

A client remembers the key, and warns if it changes. So the key stays the same for all rooms of a user.
"""

import os
import stat
from pathlib import Path

import asyncssh
from platformdirs import user_data_path

ALGORITHM = "ssh-ed25519"
MAX_KEY_BYTES = 64 * 1024


class HostKeyRefused(Exception):
    """The key cannot be used or made; the message is a sentence."""


def default_file() -> Path:
    """The file that is used if no other is named. Raises HostKeyRefused."""
    try:
        return user_data_path("chat-server") / "ssh_host_ed25519_key"
    except RuntimeError:  # There is neither HOME nor an entry in /etc/passwd, as in many containers.
        raise HostKeyRefused("there is no home for the ssh host key; --ssh-host-key FILE names its place") from None


def load_or_make(path: Path) -> asyncssh.SSHKey:
    """The private key in `path`, which is made if there is no such file. Raises HostKeyRefused."""
    try:
        try:
            return _load(path)
        except FileNotFoundError:
            _make(path)
            return _load(path)
    except OSError as error:
        raise HostKeyRefused(f"the ssh host key {path} cannot be used: {error.strerror}") from None


def fingerprint(key: asyncssh.SSHKey) -> str:
    """The fingerprint that clients show, such as `SHA256:...`."""
    return key.get_fingerprint("sha256")


def _load(path: Path) -> asyncssh.SSHKey:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise HostKeyRefused(f"the ssh host key {path} is not a regular file")
        if status.st_uid != os.geteuid():
            raise HostKeyRefused(f"the ssh host key {path} belongs to another user")
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise HostKeyRefused(f"the ssh host key {path} is open to others; chmod 600 {path} closes it")
        data = file.read(MAX_KEY_BYTES + 1)
    if not data:
        raise HostKeyRefused(f"the ssh host key {path} is empty; without this file, a key is made")
    try:
        return asyncssh.import_private_key(data[:MAX_KEY_BYTES])
    except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError, ValueError) as error:
        raise HostKeyRefused(f"the ssh host key {path} cannot be used: {error}") from None


def _make(path: Path) -> None:
    """Make a key. The file appears complete or not at all, and one that another server makes meanwhile is kept."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    data = asyncssh.generate_private_key(ALGORITHM, comment="three-chat-rooms").export_private_key()
    new = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.link(new, path)
    except FileExistsError:
        pass
    finally:
        new.unlink()
