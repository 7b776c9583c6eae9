"""The one gate for text from outside: names of files, sheets and members, messages of file systems, S3, Postgres and
Kubernetes. Each function makes any `str` fit for one kind of sink. It leaves clean text as it is, and may be applied
twice.

What does not fit is shown escaped, as Python writes it: `\\n`, `\\x1b`, `\\u202e`. A byte of a file name that is not
UTF-8 (Python keeps it as half of a surrogate pair, PEP 383) is shown as that byte: `yob2019\\xff.txt`.
"""

import json
import math
import re
from typing import Any

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_UNPRINTABLE = re.compile(
    "[\0-\x1f\x7f-\x9f"  # control characters: line feeds, ESC and CSI among them
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # these turn the direction of what follows
    "\u2028\u2029"  # line and paragraph separators
    # These are not seen, so two names would look the same. Those that letters need (U+200C, U+200D) stay.
    "\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]"
)
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def storable(text: str) -> str:
    """`text` as Postgres stores it, in columns and in JSON: no NUL and no half of a surrogate pair."""
    return _UNSTORABLE.sub(_escaped, text)


def one_line(text: str) -> str:
    """`text` as one line of a log, a terminal or an event. What would end the line or command a terminal is escaped."""
    return _UNPRINTABLE.sub(_escaped, text)


def lines_of(text: str) -> str:
    """As `one_line`, but with the line feeds of a text that has several lines, such as a traceback."""
    return "\n".join(map(one_line, text.split("\n")))


def clipped(text: str, limit: int) -> str:
    """As `one_line`, and no longer than `limit` bytes of UTF-8: for messages that Kubernetes limits."""
    line = one_line(text)
    if len(line.encode()) <= limit:
        return line
    return line.encode()[: limit - len("…".encode())].decode(errors="ignore") + "…"


def storable_values(value: Any) -> Any:
    """Plain JSON values with every text in them `storable`, those that name fields too. JSON has no infinity: None."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable_values(name): storable_values(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [storable_values(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_text(value: Any, ascii_only: bool = False, indent: int | None = None) -> str:
    """Plain JSON values as JSON that every reader takes and no terminal obeys.

    Args:
        value: as `storable_values` takes it.
        ascii_only: no other characters, for a sink that takes nothing else.
        indent: of the lines; None: all in one.
    """
    text = json.dumps(storable_values(value), ensure_ascii=ascii_only, indent=indent)
    # JSON escapes control characters itself, but not all that a terminal obeys. Line feeds are those of the layout.
    return "\n".join(_UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", line) for line in text.split("\n"))


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
