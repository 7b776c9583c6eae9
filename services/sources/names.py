"""The file's name in an answer or an address: formats read years and sexes from it."""

import re
from contextlib import suppress
from email.message import Message
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

_EXTENDED = re.compile(r"filename\*\s*=\s*\"?([\w.-]+)'[^']*'([^;]+)", re.I)
"""RFC 8187: a charset, a language, and the name in percent-encoding."""


def name_of(disposition: str | None, *urls: str) -> str | None:
    """The publisher's name for a file; None if neither says it.

    Args:
        disposition: the header Content-Disposition.
        urls: the addresses that lead to the file, the first one first. One with an ending such as `.csv` is preferred.
    """
    if disposition and (said := _of_header(disposition)):
        return said
    found = [name for url in urls if (name := unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2])]
    return next((name for name in found if PurePosixPath(name).suffix), found[0] if found else None)


def _of_header(disposition: str) -> str | None:
    """By RFC 6266, and as servers write it: bytes of UTF-8 too, and paths of which the last part counts."""
    with suppress(UnicodeError):
        disposition = disposition.encode("latin-1").decode()
    extended = _EXTENDED.search(disposition)
    name: str | None
    if extended:
        try:
            name = unquote(extended[2].strip().strip('"'), extended[1], "strict")
        except (LookupError, UnicodeError):
            return None
    else:
        message = Message()
        message["content-disposition"] = re.sub(r"[\r\n]+", " ", disposition)
        name = message.get_filename()
    return re.split(r"[/\\]", name)[-1].strip() or None if name else None
