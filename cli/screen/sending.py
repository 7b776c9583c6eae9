"""What `upload` shows while it sends: a bar for each file and one for all on a terminal, else a line now and then."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.table import Column

from cli.screen.output import say
from cli.screen.progress import LINE_SECONDS
from dataset_jobs.model.sentences import counted
from dataset_jobs.model.text import one_line
from remote.uploads import Watcher

MOST_BARS = 10
"""More files have no bar of their own."""


@contextmanager
def open_sending() -> Iterator[Watcher]:
    """The display that fits where the output goes."""
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        yield _Lines()
        return
    name = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    columns = (TextColumn("{task.description}", markup=False, table_column=name), BarColumn(bar_width=16))
    with Progress(
        *columns, DownloadColumn(), TransferSpeedColumn(), console=Console(stderr=True), transient=True, expand=True
    ) as progress:
        yield _Bars(progress)


class _Bars:
    """See `remote.uploads.Watcher`."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._all = progress.add_task("all files", total=None)
        self._bars: dict[Path, TaskID] = {}
        self._done: dict[Path, int] = {}
        self._files = 0
        self._lock = threading.Lock()

    def found(self, files: int, size: int) -> None:
        with self._lock:
            self._files = files
            self._progress.update(self._all, total=size)

    def sent(self, path: Path, done: int, size: int) -> None:
        with self._lock:
            self._done[path] = done
            self._progress.update(self._all, completed=sum(self._done.values()))
            if path not in self._bars and len(self._bars) < MOST_BARS:
                self._bars[path] = self._progress.add_task(one_line(path.name), total=size)
            if path in self._bars:
                self._progress.update(self._bars[path], completed=done)

    def over(self, path: Path) -> None:
        with self._lock:
            self._files = max(0, self._files - 1)
            if (bar := self._bars.pop(path, None)) is not None:
                self._progress.remove_task(bar)
            self._progress.update(self._all, description=f"{counted(self._files, 'file')} left")


class _Lines:
    """A line every few seconds; the first one after as long."""

    def __init__(self) -> None:
        self._files = self._over = 0
        self._next = time.monotonic() + LINE_SECONDS
        self._lock = threading.Lock()

    def found(self, files: int, size: int) -> None:
        with self._lock:
            self._files += files

    def sent(self, path: Path, done: int, size: int) -> None:
        self._line()

    def over(self, path: Path) -> None:
        with self._lock:
            self._over += 1
        self._line()

    def _line(self) -> None:
        with self._lock:
            if time.monotonic() < self._next:
                return
            self._next = time.monotonic() + LINE_SECONDS
            text = f"{self._over}/{self._files} files"
        say(text, to=sys.stderr)
