"""Which keys there may be. The same for every kind of storage, so that files can move from one to another."""

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Forbidden
from dataset_jobs.model.text import one_line

MAX_KEY_BYTES = 1024
"""S3's limit, prefix included."""
MAX_NAME_BYTES = 255
"""The limit of common file systems for one name between two slashes."""


def checked(key: str) -> str:
    """Returns `key` if it is one or more names with single slashes between them, none of them `.` or `..`.

    Raises:
        Forbidden: it leads elsewhere, holds control characters, or is too long.
    """
    try:
        names = key.encode().split(b"/")
    except UnicodeEncodeError:
        raise Forbidden(f"storage: the key '{one_line(key)}' is not UTF-8: rename it", Reason.STORAGE) from None
    if not {b"", b".", b".."}.isdisjoint(names):
        raise Forbidden(f"storage: the key {key!r} leads out of the storage", Reason.STORAGE)
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in key):
        raise Forbidden(f"storage: the key {key!r} holds control characters", Reason.STORAGE)
    if len(key.encode()) > MAX_KEY_BYTES or max(map(len, names)) > MAX_NAME_BYTES:
        raise Forbidden(f"storage: the key {key[:40]!r}... is too long", Reason.STORAGE)
    return key
