"""Log lines for a person at a terminal: time, file, short id, what happened and why; one line an event.

A long line goes on below, broken between words and indented. So whatever a name or a message holds, only an event of
its own begins at the left edge.
"""

import logging
import os
import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime

from dataset_jobs.model.text import lines_of, one_line

SHORT_ID = 8
"""Digits of an id: commands take them as well as the whole id."""

_INDENT = len("HH:MM:SS ")
_USUAL_WIDTH, _LEAST_WIDTH = 80, 40
_DIM, _YELLOW, _RED = "2", "33", "31"


class TerminalFormatter(logging.Formatter):
    """The line of a record, wrapped and perhaps in colour.

    Args:
        stream: the descriptor of the terminal.
        since: when the log began: lines of that day have no date.
    """

    def __init__(self, stream: int, since: datetime) -> None:
        super().__init__()
        self._stream = stream
        self._first_day = since.date()
        self._in_colour = wants_colour()

    def format(self, record: logging.LogRecord) -> str:
        """The lines of one event, without the line feed of the last one."""
        moment = datetime.fromtimestamp(record.created)
        day = "" if moment.date() == self._first_day else f"{moment:%Y-%m-%d} "
        time = f"{day}{moment:%H:%M:%S}"
        urgent = "ERROR " if record.levelno >= logging.ERROR else ""
        lines = [*_wrapped(f"{time} {urgent}{_text(record)}", self._width())]
        colour = _RED if urgent else _YELLOW if record.levelno >= logging.WARNING else ""
        if self._in_colour:
            lines = [_coloured(line, colour, len(time) if number == 0 else 0) for number, line in enumerate(lines)]
        if record.exc_info:
            trace = lines_of(self.formatException(record.exc_info))
            lines += [" " * _INDENT + line for line in trace.split("\n")]
        return "\n".join(lines)

    def _width(self) -> int:
        """At every line, since windows change."""
        given = os.environ.get("COLUMNS", "")
        try:
            columns = int(given) if given.isdecimal() else os.get_terminal_size(self._stream).columns
        except OSError:  # no terminal after all
            columns = 0
        return max(columns or _USUAL_WIDTH, _LEAST_WIDTH)


def wants_colour() -> bool:
    """Whether neither the user nor the terminal forbids colours."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def _text(record: logging.LogRecord) -> str:
    """Whom it is about, and what happened. The message need not name the file again."""
    message = one_line(record.getMessage())
    job, file = getattr(record, "job_id", None), getattr(record, "file", None)
    name = f"({one_line(str(job))[:SHORT_ID]}) " if job else ""
    if not file:
        return f"{name}{message}"
    shown = one_line(str(file))
    return f"{shown} {name}{re.sub(rf'(^|: ){re.escape(shown)}[,:] ', lambda found: found[1], message, count=1)}"


def _wrapped(text: str, width: int) -> Iterator[str]:
    """The text on lines of at most `width` columns; only a word that is longer is broken, by the terminal."""
    line, used = "", 0
    for word in text.split():
        columns = _columns(word)
        if line.strip() and used + 1 + columns > width:
            yield line
            line, used = " " * (_INDENT - 1), _INDENT - 1
        line, used = (f"{line} {word}", used + 1 + columns) if line else (word, columns)
    yield line


def _columns(word: str) -> int:
    """Its columns on a terminal: Chinese characters take two, accents on their own none."""
    if word.isascii():
        return len(word)
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in word)
    return len(word) + wide - sum(unicodedata.combining(one) > 0 for one in word)


def _coloured(line: str, colour: str, dim: int) -> str:
    start = f"\x1b[{_DIM}m{line[:dim]}\x1b[0m" if dim else ""
    rest = line[dim:]
    return f"{start}\x1b[{colour}m{rest}\x1b[0m" if colour else start + rest
