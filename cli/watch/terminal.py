"""The terminal while `watch` has it: keys come one by one, the screen is another one, and all of it is given back."""

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from cli.watch.keys import Keyboard
from cli.watch.marks import Line

if TYPE_CHECKING:
    from rich.live import Live

_UNFINISHED, _REST_SECONDS = (b"\x1b", b"\x1b[", b"\x1bO"), 0.05
"""Beginnings of what special keys send, and how long their rest may take."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminal:
    """The terminal of stdout, with the keyboard of stdin if that is one too.

    No signal ends anything in the middle of a line: each only wakes whoever waits.

    Attributes:
        ended_by: the signal that wants an end; None as long as none does.
    """

    def __init__(self) -> None:
        self.ended_by: int | None = None
        self.can_type = sys.stdin is not None and sys.stdin.isatty()
        self._suspend = False
        self._keyboard = Keyboard()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._live: Live | None = None
        self._former: list[Any] | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Has the terminal for as long as this lasts."""
        with self._signals():
            try:
                self._take()
                yield
            finally:
                self._give_back()

    def wake(self) -> None:
        """Ends `wait` now. Any thread may call it, and so may a signal's handler."""
        with suppress(BlockingIOError, OSError):
            os.write(self._wake, b"\0")

    def wait(self, seconds: float) -> Sequence[str]:
        """The keys that are pressed; none if it was woken, or after so long."""
        if self._suspend:
            self._stop()
        streams = [self._woken, *([sys.stdin.fileno()] if self.can_type else [])]
        ready, _, _ = select.select(streams, [], [], seconds)
        if self._woken in ready:
            os.read(self._woken, 4096)
        if len(streams) > 1 and streams[1] in ready:
            return [*self._keyboard.keys(self._typed(streams[1]))]
        return []

    def _typed(self, keyboard: int) -> bytes:
        try:
            content = os.read(keyboard, 4096)
        except OSError:  # the terminal is closed
            content = b""
        if not content:  # nobody can type any more
            self.can_type = False
        # Over a slow line a sequence may come in parts, and its first one looks like Escape.
        while content.endswith(_UNFINISHED) and select.select([keyboard], [], [], _REST_SECONDS)[0]:
            more = os.read(keyboard, 4096)
            if not more:
                break
            content += more
        return content

    def draw(self, lines: Sequence[Line]) -> None:
        """Shows these lines, as many as the terminal has."""
        from rich.text import Text

        if self._live is not None:
            text = Text("\n", no_wrap=True, overflow="crop", end="").join(Text.assemble(*line) for line in lines)
            self._live.update(text, refresh=True)

    def redraw(self) -> None:
        """Forgets what is on the screen."""
        if self._live is not None:
            self._live.console.clear()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def end(number: int, _frame: FrameType | None) -> None:
            self.ended_by = self.ended_by or number
            self.wake()

        def suspend(_number: int, _frame: FrameType | None) -> None:
            self._suspend = True
            self.wake()

        handlers = {**dict.fromkeys(_SIGNALS, end), signal.SIGTSTP: suspend, signal.SIGWINCH: lambda *_: self.wake()}
        old = {one: signal.getsignal(one) for one in handlers}
        for one, handler in handlers.items():
            if old[one] != signal.SIG_IGN or one == signal.SIGWINCH:  # nohup
                signal.signal(one, handler)
        try:
            yield
        finally:
            for one, former in old.items():
                signal.signal(one, former)

    def _take(self) -> None:
        from rich.live import Live

        if self.can_type:
            keyboard = sys.stdin.fileno()
            self._former = termios.tcgetattr(keyboard)
            tty.setcbreak(keyboard)
            # Ctrl-S would stop the screen, and with it whoever waits for a signal to end this.
            changed = termios.tcgetattr(keyboard)
            changed[0] &= ~termios.IXON
            termios.tcsetattr(keyboard, termios.TCSADRAIN, changed)
        self._live = Live(screen=True, auto_refresh=False, vertical_overflow="crop")
        self._live.start()

    def _give_back(self) -> None:
        try:
            if self._live is not None:
                self._live.stop()
        finally:
            self._live = None
            if self._former is not None:
                with suppress(termios.error):  # it is gone
                    termios.tcsetattr(sys.stdin.fileno(), termios.TCSAFLUSH, self._former)
                self._former = None

    def _stop(self) -> None:
        """Ctrl-Z: gives the terminal back, and takes it again when somebody goes on with this."""
        self._suspend = False
        self._give_back()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, handler)
        self._take()
