"""What somebody presses, from the bytes that a terminal sends."""

import codecs
import re
from collections.abc import Iterator
from enum import StrEnum


class Key(StrEnum):
    """Keys that are no letters."""

    UP = "up"
    DOWN = "down"
    PAGE_UP = "page up"
    PAGE_DOWN = "page down"
    HOME = "home"
    END = "end"
    ENTER = "enter"
    ESCAPE = "escape"
    BACKSPACE = "backspace"
    CLEAR = "clear"
    """Ctrl-U: all that is typed goes."""
    REDRAW = "redraw"
    """Ctrl-L: something else has written on the terminal."""


_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)?", re.DOTALL)
_KEYS = {
    "\x1b[A": Key.UP, "\x1bOA": Key.UP, "\x1b[B": Key.DOWN, "\x1bOB": Key.DOWN,
    "\x1b[5~": Key.PAGE_UP, "\x1b[6~": Key.PAGE_DOWN,
    "\x1b[H": Key.HOME, "\x1bOH": Key.HOME, "\x1b[1~": Key.HOME, "\x1b[7~": Key.HOME,
    "\x1b[F": Key.END, "\x1bOF": Key.END, "\x1b[4~": Key.END, "\x1b[8~": Key.END,
    "\x1b": Key.ESCAPE, "\r": Key.ENTER, "\n": Key.ENTER, "\x7f": Key.BACKSPACE, "\x08": Key.BACKSPACE,
    "\x15": Key.CLEAR, "\x0c": Key.REDRAW,
}  # fmt: skip


class Keyboard:
    """Keys, as their bytes come. A letter may come in two parts, and a sequence in one: terminals send it at once."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def keys(self, content: bytes) -> Iterator[str]:
        """The keys in what was read: a `Key`, or a letter. What is neither is left out."""
        text, at = self._decoder.decode(content), 0
        while at < len(text):
            found = _SEQUENCE.match(text, at)
            word = found[0] if found else text[at]
            at += len(word)
            if word in _KEYS:
                yield _KEYS[word]
            elif len(word) == 1 and word.isprintable():
                yield word
