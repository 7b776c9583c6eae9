"""The publisher's name of an uploaded file: what parsers read year and sex from, and never a path."""

from unicodedata import normalize

from api.problems import Problem
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line
from services.submission import checked_filename

NAME_BYTES = 255
_SHOWN = 60
_REPLACED = "\ufffd"
"""What stands for bytes that are not UTF-8."""


def publishers_name(given: str | bytes) -> str:
    """The last part of the path that a client sent, with composed letters.

    Raises:
        Problem: it can be no file's name.
    """
    try:
        text = given if isinstance(given, str) else given.decode()
        if _REPLACED in text:
            raise UnicodeError
    except UnicodeError:
        shown = given if isinstance(given, str) else given.decode(errors="replace")
        raise _hostile(shown, "it is not UTF-8") from None
    name = normalize("NFC", text.replace("\\", "/").rpartition("/")[2])
    if len(name.encode(errors="replace")) > NAME_BYTES:
        raise _hostile(name, f"it has more than {NAME_BYTES} bytes")
    try:
        return checked_filename(name)
    except InvalidRequest:
        raise _hostile(text, "it has no plain name without control characters at its end") from None


def _hostile(shown: str, why: str) -> Problem:
    message = f"file name '{one_line(shown)[:_SHOWN]}': {why}; send the file under the publisher's name"
    return Problem("hostile-filename", message, [{"field": "filename", "message": message}])
