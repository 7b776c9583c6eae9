"""What stands on a terminal on which a program draws whole screens, such as `affirm-worker watch`."""

import time

from tests.kit.terminal import Terminal, plain

HOME = "\x1b[H"
"""A screen begins with it."""


class Screen:
    """The screen of a terminal. It reads what comes, and keeps the last screen that is whole.

    Args:
        terminal: of a program that draws.
    """

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    @property
    def lines(self) -> list[str]:
        """What stands there now."""
        screens = self.terminal.written.split(HOME)
        return plain(screens[-1]).replace("\r", "").split("\n")

    def until(self, *texts: str, seconds: float = 60) -> list[str]:
        """The screen when all of these are on it; raises TimeoutError."""
        until = time.monotonic() + seconds
        while not self._has(texts):
            if not self.terminal.more(until):
                raise TimeoutError(f"{texts} are not on\n" + "\n".join(self.lines))
        return self.lines

    def until_gone(self, text: str, seconds: float = 60) -> list[str]:
        """The screen when it is not there any more; raises TimeoutError."""
        until = time.monotonic() + seconds
        while text in "\n".join(self.lines) or not "".join(self.lines).strip():
            if not self.terminal.more(until):
                raise TimeoutError(f"{text!r} is still on\n" + "\n".join(self.lines))
        return self.lines

    def until_size(self, lines: int, seconds: float = 60) -> list[str]:
        """The screen when it has so many lines; raises TimeoutError."""
        until = time.monotonic() + seconds
        while len(self.lines) != lines:
            if not self.terminal.more(until):
                raise TimeoutError(f"these are not {lines} lines\n" + "\n".join(self.lines))
        return self.lines

    def press(self, keys: str) -> None:
        """What a user types."""
        self.terminal.type(keys)

    def _has(self, texts: tuple[str, ...]) -> bool:
        shown = "\n".join(self.lines)
        return all(text in shown for text in texts)
